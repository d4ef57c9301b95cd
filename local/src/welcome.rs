//! What a person sees when the stack has started.

use crate::auth::LIFETIME_HOURS;
use crate::publish::Published;
use jiff::Timestamp;
use std::fmt::{self, Display};

/// The facts of a stack that has started.
#[derive(Debug)]
pub struct Welcome {
    /// Where it answers, such as `http://127.0.0.1:3000`.
    pub url: String,
    /// Where the data is, in words.
    pub data: String,
    /// The program of `main`.
    pub program: Published,
    /// A backend's token.
    pub service: String,
    /// An operator's token.
    pub operator: String,
    /// The stack's time: the purchase in the example is one of this moment.
    pub now: Timestamp,
}

impl Display for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, data, program, service, operator, now } = self;
        let second = now.as_second();
        // Each start has an order of its own: pasted twice it is the same purchase, after a restart it is another one.
        let (order, occurred_at) = (format!("W-{second}"), now.strftime("%Y-%m-%dT%H:%M:%SZ"));
        writeln!(f, "Loyalty serves the whole API at {url} (Ctrl-C stops it)")?;
        writeln!(f)?;
        writeln!(f, "  data     {data}")?;
        writeln!(f, "  program  main, version {}: {}{}", program.version, program.name, since(program, *now))?;
        writeln!(f, "  tokens   below, for {LIFETIME_HOURS} hours; fresh ones at {url}/_local/tokens")?;
        writeln!(f, "  clock    real time; to move it, POST {{\"now\": …}} to {url}/_local/clock")?;
        writeln!(f)?;
        writeln!(f, "Tokens of a shop's backend, and of an operator (publish, adjust, erase):")?;
        writeln!(f)?;
        writeln!(f, "export TOKEN={service}")?;
        writeln!(f, "export OPERATOR_TOKEN={operator}")?;
        writeln!(f)?;
        writeln!(f, "Enrol a member, then post a purchase:")?;
        writeln!(f)?;
        writeln!(
            f,
            r#"{} -d '{{"external_id": "crm-1001", "email": "ada@example.com", "given_name": "Ada"}}'"#,
            curl(url, "/v1/members")
        )?;
        writeln!(f)?;
        writeln!(
            f,
            r#"{} -d '{{"channel": "web", "order_id": "{order}", "member": {{"external_id": "crm-1001"}}, "occurred_at": "{occurred_at}", "currency": "EUR", "lines": [{{"line_id": "1", "sku": "beans-250", "categories": ["coffee"], "quantity": 2, "net_amount": 1050}}, {{"line_id": "2", "sku": "mug", "categories": ["hardware"], "quantity": 1, "net_amount": 949}}]}}'"#,
            curl(url, "/v1/purchases")
        )
    }
}

/// Quotes, so that every shell takes the line as it stands; one line, because a break is easily lost in pasting.
fn curl(url: &str, path: &str) -> String {
    format!(r#"curl -sS {url}{path} -H "authorization: Bearer $TOKEN" -H 'content-type: application/json'"#)
}

fn since(program: &Published, now: Timestamp) -> String {
    match program.effective_from.parse::<Timestamp>() {
        Ok(start) if start > now => format!(" (in force from {} on)", program.effective_from),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn text(effective_from: &str) -> String {
        let program =
            Published { version: 2, effective_from: effective_from.to_owned(), name: "Roastery".to_owned(), new: true };
        let (url, data) = ("http://127.0.0.1:3000".to_owned(), "in memory".to_owned());
        let now = "2026-11-21T10:00:00.123Z".parse().unwrap();
        let (service, operator) = ("a.b.c".to_owned(), "d.e.f".to_owned());
        Welcome { url, data, program, service, operator, now }.to_string()
    }

    #[test]
    fn each_curl_line_stands_alone_and_sends_json() {
        let text = text("2026-11-21T09:00:00Z");
        assert!(text.contains("\nexport TOKEN=a.b.c\n"));
        let bodies: Vec<Value> = text
            .lines()
            .filter(|line| line.starts_with("curl "))
            .map(|line| {
                assert!(line.contains("\"authorization: Bearer $TOKEN\""));
                let (_, body) = line.split_once(" -d '").unwrap();
                serde_json::from_str(body.strip_suffix('\'').unwrap()).unwrap()
            })
            .collect();
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[0]["external_id"], bodies[1]["member"]["external_id"]);
        assert_eq!(bodies[1]["occurred_at"], "2026-11-21T10:00:00Z");
        assert_eq!(bodies[1]["order_id"], "W-1795255200");
    }

    #[test]
    fn a_version_that_is_still_to_come_says_so() {
        assert!(!text("2026-11-21T09:00:00Z").contains("in force"));
        assert!(text("2026-11-21T10:01:00Z").contains("(in force from 2026-11-21T10:01:00Z on)"));
    }
}
