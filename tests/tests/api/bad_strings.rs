//! Odd text in every string of every body: accepted by the field's own rule, or refused at its pointer with nothing written.

use crate::bad_bodies::{routes, send, stack};
use crate::kit::{dump, is_problem, with};
use it::stack::{Answered, Stack};
use serde_json::{Value, json};

/// The leaves of a document with their pointers.
pub fn leaves(value: &Value) -> Vec<(String, Value)> {
    fn walk(value: &Value, at: String, all: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| walk(value, format!("{at}/{name}"), all)),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| walk(item, format!("{at}/{index}"), all))
            }
            leaf => all.push((at, leaf.clone())),
        }
    }
    let mut all = Vec::new();
    walk(value, String::new(), &mut all);
    all
}

/// Name, text, and whether no field at all may take it.
fn odd() -> Vec<(&'static str, String, bool)> {
    vec![
        ("a zero character", "\0".to_owned(), true),
        ("a zero character inside", "ab\0cd".to_owned(), true),
        ("nothing", String::new(), true),
        ("10,000 characters", "x".repeat(10_000), true),
        ("an emoji", "😀".to_owned(), false),
        ("a family of emoji", "👨‍👩‍👧‍👦".to_owned(), false),
        ("right to left", "\u{202e}live\u{202c}".to_owned(), false),
        ("zero width", "a\u{200b}b\u{feff}".to_owned(), false),
        ("combining characters", "Z\u{0351}\u{036b}".to_owned(), false),
        ("a line separator", "a\u{2028}b".to_owned(), false),
        ("the highest character", "\u{10ffff}".to_owned(), false),
        ("a hash", "a#b#E#000000000001".to_owned(), false),
        ("an expression", "attribute_exists(pk) OR :v".to_owned(), false),
        ("a delete character", "a\u{7f}".to_owned(), true),
        ("a C1 control", "a\u{85}b".to_owned(), true),
    ]
}

/// One request with odd text in one place.
struct Case {
    number: usize,
    place: usize,
    pointer: String,
    case: &'static str,
    text: String,
    never: bool,
}

impl Case {
    async fn send(&self, stack: &Stack) -> (String, Answered) {
        let (method, path, good) = routes(stack, self.number).await.swap_remove(self.place);
        let body = with(&good, &self.pointer, json!(self.text)).to_string().into_bytes();
        let answer = send(stack, &format!("k{}", self.number), method, &path, body).await;
        (format!("{method} {path} {}: {}", self.pointer, self.case), answer)
    }
}

async fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (place, (_, _, good)) in routes(&stack().await, 0).await.into_iter().enumerate() {
        for (pointer, _) in leaves(&good).into_iter().filter(|(_, value)| value.is_string()) {
            for (case, text, never) in odd() {
                // An attribute may be an empty text: what a survey's field was left with.
                let never = never && !(text.is_empty() && pointer.starts_with("/attributes"));
                // Where an editor finds the schema is nothing that the engine reads.
                let never = never && pointer != "/$schema";
                cases.push(Case { number: cases.len() + 1, place, pointer: pointer.clone(), case, text, never });
            }
        }
    }
    cases
}

#[tokio::test]
async fn odd_text_in_any_string_is_taken_whole_or_refused_at_its_pointer() {
    let trial = stack().await;
    let (mut taken, mut refused) = (0, Vec::new());
    for case in cases().await {
        let (context, answer) = case.send(&trial).await;
        if answer.status.is_success() {
            assert!(!case.never, "{context}: {}", answer.body);
            taken += 1;
            continue;
        }
        is_problem(&answer, &context);
        assert!([400, 422].contains(&answer.status.as_u16()), "{context}: {}", answer.body);
        assert!(answer.pointers().contains(&case.pointer.as_str()), "{context}: {}", answer.body);
        assert!(!answer.body.to_string().contains("live\u{202c}"), "{context}: what was sent is not repeated");
        refused.push(case);
    }
    assert!(taken > 20, "names, labels and notes take what is printable: {taken}");
    // Once more and only these, on a table in which nothing else moves.
    let stack = stack().await;
    let before = dump(&stack).await;
    for case in &refused {
        let (context, answer) = case.send(&stack).await;
        is_problem(&answer, &context);
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn odd_names_of_consents_are_refused_at_their_pointer() {
    let stack = stack().await;
    let before = dump(&stack).await;
    for (place, path) in [(0, "enrol"), (1, "patch")] {
        for (case, text, _) in odd() {
            let (method, route, good) = routes(&stack, 1).await.swap_remove(place);
            let mut body = good;
            body["consents"] = json!({ (text.as_str()): true });
            let answer = send(&stack, "k", method, &route, body.to_string().into_bytes()).await;
            is_problem(&answer, case);
            assert_eq!(answer.pointers(), [format!("/consents/{text}")], "{path}: {case}");
        }
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn printable_text_comes_back_as_it_was_sent() {
    let stack = stack().await;
    let names = [
        "O'Brien-Müller ☕",
        "李小龍",
        "مريم",
        "a\u{200d}b",
        "<script>alert(1)</script>",
        "\"quoted\" \\ / {}",
        "%00%s${x}",
    ];
    for (number, name) in names.into_iter().enumerate() {
        let body = json!({ "external_id": format!("n{number}"), "given_name": name, "tags": [name] });
        let member = stack.send("POST", "/v1/members", Some(&body)).await.expect(201)["member"].clone();
        assert_eq!((&member["given_name"], &member["tags"]), (&json!(name), &json!([name])));
        let got = stack
            .send("GET", &format!("/v1/members/{}", member["member_id"].as_str().unwrap()), None)
            .await
            .expect(200);
        assert_eq!(got["member"], member);
    }
}
