//! Moments, local days and periods. The only place that does arithmetic with zones.
//!
//! Zones come from the tz database that is compiled in, so every machine computes the same. Moments are bounded to the
//! years 1900 to 2999 where they come in, and every span added to one is bounded too, so no sum leaves the range of the
//! calendar.

use crate::json::{Faults, Json, Path, text};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Milliseconds in a day of 24 hours.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// 1900-01-01T00:00:00Z and 3000-01-01T00:00:00Z in milliseconds: what may come in.
const EARLIEST_MS: i64 = -2_208_988_800_000;
const LATEST_MS: i64 = 32_503_680_000_000;

/// A point in time to the millisecond. Finer parts of what is sent are cut off.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    /// The moment of a timestamp.
    #[must_use]
    pub fn new(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The moment as a timestamp; beyond the calendar's ends, the end.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
    }

    /// The moment so many times 24 hours later, or earlier.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY_MS)))
    }

    /// The moment so many minutes later.
    #[must_use]
    pub const fn plus_minutes(self, minutes: i64) -> Self {
        Self(self.0.saturating_add(minutes.saturating_mul(60_000)))
    }

    /// Whole hours since 1970, for the buckets of what is due.
    #[must_use]
    pub const fn utc_hour(self) -> i64 {
        self.0.div_euclid(3_600_000)
    }

    /// The date at the moment in UTC.
    #[must_use]
    pub fn utc_date(self) -> Date {
        TimeZone::UTC.to_datetime(self.timestamp()).date()
    }

    /// Whole days of 24 hours from an earlier moment to this one; 0 if it is later.
    #[must_use]
    pub fn days_since(self, earlier: Moment) -> i64 {
        (self.0.saturating_sub(earlier.0) / DAY_MS).max(0)
    }

    /// Reads RFC 3339 with an offset, of the years 1900 to 2999.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if !is_rfc3339(text) {
            return None;
        }
        let moment = Self::new(text.parse().ok()?);
        (EARLIEST_MS..LATEST_MS).contains(&moment.0).then_some(moment)
    }
}

/// Whether a text has the shape of RFC 3339: date, `T`, time with seconds, perhaps a fraction, `Z` or an offset. The calendar's
/// own parser takes more spellings.
fn is_rfc3339(text: &str) -> bool {
    let fits = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                other => byte.eq_ignore_ascii_case(&other),
            })
    };
    let Some((time, rest)) = text.split_at_checked(19) else { return false };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() || fraction.len() - zone.len() > 9 {
                return false;
            }
            zone
        }
        None => rest,
    };
    let hour = zone.get(1..3).and_then(|hour| hour.parse::<u8>().ok());
    let offset = (fits(zone, "+00:00") || fits(zone, "-00:00")) && hour.is_some_and(|hour| hour < 24);
    fits(time, "0000-00-00T00:00:00") && (fits(zone, "Z") || offset)
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.timestamp(), f)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads a moment.
pub fn moment(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Moment> {
    let moment = Moment::parse(text(json, at, faults)?);
    if moment.is_none() {
        faults.malformed(at, "must be a date and time with offset, like 2026-11-20T09:59:00+01:00");
    }
    moment
}

/// Reads a date.
pub fn date(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Date> {
    let date = parse_date(text(json, at, faults)?);
    if date.is_none() {
        faults.malformed(at, "must be a date of the years 1900 to 2999, like 2026-11-20");
    }
    date
}

/// A date `yyyy-mm-dd` of the years 1900 to 2999.
#[must_use]
pub fn parse_date(text: &str) -> Option<Date> {
    let date: Date = if text.len() == 10 { text.parse().ok()? } else { return None };
    (1900..3000).contains(&date.year()).then_some(date)
}

/// A time zone of the tz database.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of that name, `Europe/Berlin` or `UTC`, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name.is_empty() || name.len() > 64 {
            return None;
        }
        let zone = TimeZone::get(name).ok()?;
        zone.iana_name().is_some().then_some(Self(zone))
    }

    /// The zone's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local date at a moment.
    #[must_use]
    pub fn date_at(&self, moment: Moment) -> Date {
        self.0.to_datetime(moment.timestamp()).date()
    }

    /// The local wall time at a moment, as minutes after midnight.
    #[must_use]
    pub fn minute_at(&self, moment: Moment) -> u16 {
        let time = self.0.to_datetime(moment.timestamp()).time();
        u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
    }

    /// The first instant of a local day; where midnight is skipped, the instant after the gap.
    #[must_use]
    pub fn start_of(&self, date: Date) -> Moment {
        let start = date.to_zoned(self.0.clone()).and_then(|day| day.start_of_day());
        Moment::new(start.map_or(Timestamp::MAX, |day| day.timestamp()))
    }

    /// The end of a local day: the first instant of the next.
    #[must_use]
    pub fn end_of(&self, date: Date) -> Moment {
        self.start_of(plus(date, 1.day()))
    }

    /// The end of the local month of a date.
    #[must_use]
    pub fn end_of_month(&self, date: Date) -> Moment {
        self.end_of(date.last_of_month())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.name().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Zone::named(&name).ok_or_else(|| serde::de::Error::custom("no such time zone"))
    }
}

/// Reads a time zone.
pub fn zone(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Zone> {
    let zone = Zone::named(text(json, at, faults)?);
    if zone.is_none() {
        faults.meaningless(at, "must be a time zone of the tz database, like Europe/Berlin");
    }
    zone
}

/// A date plus a span; clamped to the month's last day where months are added, to the calendar's end where it ends.
#[must_use]
pub fn plus(date: Date, span: Span) -> Date {
    date.saturating_add(span)
}

/// A date so many months later, clamped to the month's last day.
#[must_use]
pub fn plus_months(date: Date, months: i32) -> Date {
    plus(date, months.months())
}

/// A date so many days later.
#[must_use]
pub fn plus_days(date: Date, days: i32) -> Date {
    plus(date, days.days())
}

/// Days since 1970-01-01, the compact form in which periods are kept.
#[must_use]
pub fn day_number(date: Date) -> i32 {
    let epoch = jiff::civil::date(1970, 1, 1);
    date.since(epoch).map_or(0, |span| span.get_days())
}

/// The date of a day number.
#[must_use]
pub fn date_of_day(day: i32) -> Date {
    plus_days(jiff::civil::date(1970, 1, 1), day)
}

/// The length of time to which a limit applies, in local days of the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Per {
    /// A local day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
    /// For good.
    Ever,
}

impl Per {
    /// The words of the program document.
    pub const WORDS: &'static [(&'static str, Per)] =
        &[("day", Per::Day), ("week", Per::Week), ("month", Per::Month), ("year", Per::Year), ("ever", Per::Ever)];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, per)| *per == self).map_or("", |(word, _)| word)
    }

    /// The first day of the period that a date falls into, as a day number; 0 for [`Per::Ever`].
    #[must_use]
    pub fn start(self, date: Date) -> i32 {
        match self {
            Per::Day => day_number(date),
            Per::Week => day_number(date) - i32::from(date.weekday().to_monday_zero_offset()),
            Per::Month => day_number(date.first_of_month()),
            Per::Year => day_number(date.first_of_year()),
            Per::Ever => 0,
        }
    }

    /// How many periods one that starts on a day comes after one that starts on another; negative if before it.
    #[must_use]
    pub fn periods_between(self, from: i32, to: i32) -> i64 {
        let months = |day: i32| {
            let date = date_of_day(day);
            i64::from(date.year()) * 12 + i64::from(date.month())
        };
        match self {
            Per::Day => i64::from(to) - i64::from(from),
            Per::Week => (i64::from(to) - i64::from(from)).div_euclid(7),
            Per::Month => months(to) - months(from),
            Per::Year => (months(to) - months(from)).div_euclid(12),
            Per::Ever => 0,
        }
    }

    /// The first day of the period so many periods later.
    #[must_use]
    pub fn later(self, start: i32, periods: i32) -> i32 {
        match self {
            Per::Day => start.saturating_add(periods),
            Per::Week => start.saturating_add(periods.saturating_mul(7)),
            Per::Month => day_number(plus_months(date_of_day(start), periods)),
            Per::Year => day_number(plus_months(date_of_day(start), periods.saturating_mul(12))),
            Per::Ever => start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as day;

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    #[test]
    fn a_day_begins_at_its_first_instant_even_where_midnight_is_skipped() {
        // Cairo skipped 00:00–01:00 on 2026-04-24.
        assert_eq!(zone("Africa/Cairo").start_of(day(2026, 4, 24)).to_string(), "2026-04-23T22:00:00Z");
        // Berlin's day of 23 hours.
        let berlin = zone("Europe/Berlin");
        let length = berlin.end_of(day(2026, 3, 29)).millis() - berlin.start_of(day(2026, 3, 29)).millis();
        assert_eq!(length, 23 * 3_600_000);
    }

    #[test]
    fn weeks_begin_on_monday() {
        assert_eq!(Per::Week.start(day(2026, 11, 22)), day_number(day(2026, 11, 16)));
        assert_eq!(Per::Week.start(day(2026, 11, 16)), day_number(day(2026, 11, 16)));
        assert_eq!(Per::Week.start(day(1969, 12, 31)), day_number(day(1969, 12, 29)));
    }

    #[test]
    fn moments_need_an_offset_and_are_kept_to_the_millisecond() {
        assert_eq!(Moment::parse("2026-11-20T09:59:00+01:00"), Moment::parse("2026-11-20T08:59:00Z"));
        assert_eq!(Moment::parse("2026-11-20T08:59:00.1239Z").unwrap().to_string(), "2026-11-20T08:59:00.123Z");
        for bad in [
            "2026-11-20T09:59:00",
            "2026-11-20",
            "1899-12-31T23:59:59Z",
            "3000-01-01T00:00:00Z",
            "2026-11-20 09:59:00Z",
            "2026-11-20T09:59Z",
            "2026-11-20T09:59:00,5Z",
            "2026-11-20T09:59:00.Z",
            "2026-11-20T09:59:00+0100",
            "2026-11-20T09:59:00+01",
            "2026-11-20T09:59:00+24:00",
            "2026-11-20T09:59:00+01:00[Europe/Berlin]",
            "",
            "x",
        ] {
            assert_eq!(Moment::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn zones_are_those_of_the_tz_database() {
        assert_eq!(zone("UTC").name(), "UTC");
        for bad in ["", "Mars/Olympus", "+01:00", "../etc/passwd"] {
            assert!(Zone::named(bad).is_none(), "{bad}");
        }
    }
}
