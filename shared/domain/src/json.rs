//! Strict reading of JSON: every fault at once, each with its JSON Pointer.
//!
//! Serde stops at the first fault, forgets where it was and lets the last of two equal keys win. People who send us
//! documents deserve better: a body is parsed into a plain tree, and readers walk it, noting what is wrong and going on.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;

/// How a fault is to be answered: a body of the wrong shape is malformed, a well-formed one can still be meaningless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Right shape, impossible value: a currency that does not exist, a date in the future.
    Meaningless,
    /// Wrong shape: not JSON, a wrong type or format, a field that is missing, unknown or doubled.
    Malformed,
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON Pointer (RFC 6901) to the value, `""` for the whole document.
    pub pointer: String,
    /// What is wrong, for a person. Never repeats the value: it may be personal.
    pub detail: String,
    /// How to answer.
    pub severity: Severity,
}

/// The faults found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

/// More faults than this are not listed: nobody reads them, and the answer stays small.
const MOST_FAULTS: usize = 100;

impl Faults {
    /// Notes a value of the wrong shape.
    pub fn malformed(&mut self, at: &Path<'_>, detail: impl Into<String>) {
        self.push(at, detail.into(), Severity::Malformed);
    }

    /// Notes a well-formed value that cannot be meant.
    pub fn meaningless(&mut self, at: &Path<'_>, detail: impl Into<String>) {
        self.push(at, detail.into(), Severity::Meaningless);
    }

    /// The first fault of a place is the one that matters: what could not be read must not be missed as well.
    fn push(&mut self, at: &Path<'_>, detail: String, severity: Severity) {
        let pointer = at.pointer();
        if self.0.len() < MOST_FAULTS && self.0.iter().all(|fault| fault.pointer != pointer) {
            self.0.push(Fault { pointer, detail, severity });
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults in the order in which they were found.
    #[must_use]
    pub fn list(&self) -> &[Fault] {
        &self.0
    }

    /// The value if nothing is wrong, else the faults. A missing value without a fault cannot be: readers that give
    /// nothing note why.
    ///
    /// # Errors
    /// The faults.
    pub fn settle<T>(mut self, value: Option<T>) -> Result<T, Faults> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            _ => {
                if self.is_empty() {
                    self.malformed(&Path::ROOT, "cannot be read");
                }
                Err(self)
            }
        }
    }
}

/// Where in a document a reader stands.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Name(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The whole document.
    pub const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    /// A member of the object here.
    #[must_use]
    pub fn name(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Name(name) }
    }

    /// An element of the list here.
    #[must_use]
    pub fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    /// The JSON Pointer of this place.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut pointer = self.parent.map(Path::pointer).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Name(name) => {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
            Step::Index(index) => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
        }
        pointer
    }
}

/// A parsed document. Objects keep doubled keys until [`parse`] has refused them.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number without fraction or exponent that fits.
    Int(i64),
    /// Any other number. No quantity here has a fraction, so the value is not kept.
    OtherNumber,
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, in the order sent.
    Map(Vec<(String, Json)>),
}

/// Parses one document and refuses doubled keys.
///
/// # Errors
/// What is wrong, with pointers; text that is not JSON at all is one fault at the root.
pub fn parse(bytes: &[u8]) -> Result<Json, Faults> {
    let mut faults = Faults::default();
    match serde_json::from_slice::<Json>(bytes) {
        Ok(json) => {
            find_doubled(&json, &Path::ROOT, &mut faults);
            faults.settle(Some(json))
        }
        Err(error) => {
            faults.malformed(&Path::ROOT, format!("not JSON: line {}, column {}", error.line(), error.column()));
            Err(faults)
        }
    }
}

fn find_doubled(json: &Json, at: &Path<'_>, faults: &mut Faults) {
    match json {
        Json::Map(fields) => {
            let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
            names.sort_unstable();
            let mut last_doubled = None;
            for (one, two) in names.iter().zip(names.iter().skip(1)) {
                if one == two && last_doubled != Some(*one) {
                    faults.malformed(&at.name(one), "is given more than once");
                    last_doubled = Some(*one);
                }
            }
            for (name, value) in fields {
                find_doubled(value, &at.name(name), faults);
            }
        }
        Json::List(items) => {
            for (index, item) in items.iter().enumerate() {
                find_doubled(item, &at.index(index), faults);
            }
        }
        Json::Null | Json::Bool(_) | Json::Int(_) | Json::OtherNumber | Json::Text(_) => {}
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tree;
        impl<'de> Visitor<'de> for Tree {
            type Value = Json;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Int(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(i64::try_from(value).map_or(Json::OtherNumber, Json::Int))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
                Ok(Json::OtherNumber)
            }
            fn visit_str<E>(self, value: &str) -> Result<Json, E> {
                Ok(Json::Text(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Json, E> {
                Ok(Json::Text(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Json::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Json::Map(fields))
            }
        }
        deserializer.deserialize_any(Tree)
    }
}

impl Serialize for Json {
    /// Writes the document in the order sent. A number that was not kept becomes null; documents that hold one are refused
    /// before anybody writes them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null | Json::OtherNumber => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Int(value) => serializer.serialize_i64(*value),
            Json::Text(value) => serializer.serialize_str(value),
            Json::List(items) => serializer.collect_seq(items),
            Json::Map(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
        }
    }
}

/// A reader of one value: gives it, or notes why not.
pub trait Read<T>: FnOnce(&Json, &Path<'_>, &mut Faults) -> Option<T> {}
impl<T, F: FnOnce(&Json, &Path<'_>, &mut Faults) -> Option<T>> Read<T> for F {}

/// An object that is being read field by field. What nobody asked for is refused by [`Object::finish`].
#[derive(Debug)]
pub struct Object<'a> {
    fields: &'a [(String, Json)],
    at: &'a Path<'a>,
    known: Vec<&'static str>,
}

impl<'a> Object<'a> {
    /// Starts to read an object.
    pub fn new(json: &'a Json, at: &'a Path<'a>, faults: &mut Faults) -> Option<Self> {
        match json {
            Json::Map(fields) => Some(Object { fields, at, known: Vec::with_capacity(8) }),
            Json::Null | Json::Bool(_) | Json::Int(_) | Json::OtherNumber | Json::Text(_) | Json::List(_) => {
                faults.malformed(at, "must be an object");
                None
            }
        }
    }

    /// The raw value of a field, `null` included.
    pub fn raw(&mut self, name: &'static str) -> Option<&'a Json> {
        self.known.push(name);
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// A field that may be left out or be `null`.
    pub fn optional<T>(&mut self, name: &'static str, faults: &mut Faults, read: impl Read<T>) -> Option<T> {
        match self.raw(name) {
            None | Some(Json::Null) => None,
            Some(value) => read(value, &self.at.name(name), faults),
        }
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, name: &'static str, faults: &mut Faults, read: impl Read<T>) -> Option<T> {
        match self.raw(name) {
            None => {
                faults.malformed(&self.at.name(name), "is required");
                None
            }
            Some(value) => read(value, &self.at.name(name), faults),
        }
    }

    /// Refuses every field that was not asked for.
    pub fn finish(self, faults: &mut Faults) {
        for (name, _) in self.fields {
            if !self.known.contains(&name.as_str()) {
                faults.malformed(&self.at.name(name), "is not a known field");
            }
        }
    }
}

/// Reads a boolean.
pub fn boolean(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<bool> {
    match json {
        Json::Bool(value) => Some(*value),
        Json::Null | Json::Int(_) | Json::OtherNumber | Json::Text(_) | Json::List(_) | Json::Map(_) => {
            faults.malformed(at, "must be true or false");
            None
        }
    }
}

/// Reads a string of any content.
pub fn text<'j>(json: &'j Json, at: &Path<'_>, faults: &mut Faults) -> Option<&'j str> {
    match json {
        Json::Text(value) => Some(value),
        Json::Null | Json::Bool(_) | Json::Int(_) | Json::OtherNumber | Json::List(_) | Json::Map(_) => {
            faults.malformed(at, "must be a string");
            None
        }
    }
}

/// Reads an integer of any size that fits 64 bits.
pub fn integer(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<i64> {
    match json {
        Json::Int(value) => Some(*value),
        Json::OtherNumber => {
            faults.malformed(at, "must be an integer of at most 64 bits, without fraction or exponent");
            None
        }
        Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) | Json::Map(_) => {
            faults.malformed(at, "must be an integer");
            None
        }
    }
}

/// Reads an integer of a range; one outside is meaningless.
pub fn integer_within(least: i64, most: i64) -> impl Read<i64> {
    move |json: &Json, at: &Path<'_>, faults: &mut Faults| {
        let value = integer(json, at, faults)?;
        if (least..=most).contains(&value) {
            Some(value)
        } else {
            faults.meaningless(at, format!("must be between {least} and {most}"));
            None
        }
    }
}

/// Reads a list whose length is within bounds, element by element; gives it only if every element could be read.
pub fn list<T>(
    least: usize,
    most: usize,
    mut read: impl FnMut(&Json, &Path<'_>, &mut Faults) -> Option<T>,
) -> impl Read<Vec<T>> {
    move |json: &Json, at: &Path<'_>, faults: &mut Faults| {
        let Json::List(items) = json else {
            faults.malformed(at, "must be a list");
            return None;
        };
        if items.len() < least || items.len() > most {
            faults.meaningless(at, format!("must have {least} to {most} elements, has {}", items.len()));
            return None;
        }
        let read: Vec<Option<T>> =
            items.iter().enumerate().map(|(index, item)| read(item, &at.index(index), faults)).collect();
        read.into_iter().collect()
    }
}

/// Reads one of a closed set of words.
pub fn word<T: Copy + 'static>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&Json, &Path<'_>, &mut Faults) -> Option<T> {
    move |json: &Json, at: &Path<'_>, faults: &mut Faults| {
        let value = text(json, at, faults)?;
        let found = words.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            faults.malformed(at, format!("must be one of: {}", all.join(", ")));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(text: &str) -> Vec<String> {
        parse(text.as_bytes()).err().map(|f| f.list().iter().map(|f| f.pointer.clone()).collect()).unwrap_or_default()
    }

    #[test]
    fn doubled_keys_are_refused_with_their_pointer() {
        assert_eq!(pointers(r#"{"a":1,"b":{"c/d":1,"c/d":2,"c/d":3},"a":2}"#), ["/a", "/b/c~1d"]);
        assert!(pointers(r#"{"a":{"x":1},"b":{"x":1}}"#).is_empty());
    }

    #[test]
    fn text_that_is_not_json_says_where_it_broke() {
        let faults = parse(b"{\"a\":\n 1,,}").unwrap_err();
        assert_eq!(faults.list()[0].detail, "not JSON: line 2, column 4");
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let json = parse(br#"{"name":7,"many":[1,"x",2.5],"extra":1}"#).unwrap();
        let mut faults = Faults::default();
        let mut object = Object::new(&json, &Path::ROOT, &mut faults).unwrap();
        object.required("name", &mut faults, |j: &Json, p: &Path<'_>, f: &mut Faults| text(j, p, f).map(str::to_owned));
        object.required("many", &mut faults, list(1, 3, integer));
        object.required("gone", &mut faults, boolean);
        object.finish(&mut faults);
        let found: Vec<&str> = faults.list().iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(found, ["/name", "/many/1", "/many/2", "/gone", "/extra"]);
    }

    #[test]
    fn integers_beyond_64_bits_and_fractions_are_not_integers() {
        assert_eq!(parse(b"9223372036854775808").unwrap(), Json::OtherNumber);
        assert_eq!(parse(b"1.0").unwrap(), Json::OtherNumber);
        assert_eq!(parse(b"-9223372036854775808").unwrap(), Json::Int(i64::MIN));
    }
}
