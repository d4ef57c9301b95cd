//! Odd text in every string of every body: accepted by the field's own rule, or refused at its pointer with nothing written.

use crate::bad_bodies::{routes, send, stack};
use crate::kit::{dump, holds, is_problem, with};
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

#[tokio::test]
async fn odd_text_in_any_string_is_taken_whole_or_refused_at_its_pointer() {
    let stack = stack().await;
    let (mut number, mut taken) = (1, 0);
    for place in 0..routes(&stack, 0).await.len() {
        let strings: Vec<String> = {
            let (_, _, good) = routes(&stack, 0).await.swap_remove(place);
            leaves(&good).into_iter().filter(|(_, value)| value.is_string()).map(|(pointer, _)| pointer).collect()
        };
        for pointer in strings {
            for (case, text, never) in odd() {
                number += 1;
                let (method, path, good) = routes(&stack, number).await.swap_remove(place);
                let context = format!("{method} {path} {pointer}: {case}");
                let before = dump(&stack).await;
                let body = with(&good, &pointer, json!(text)).to_string().into_bytes();
                let answer = send(&stack, &format!("k{number}"), method, &path, body).await;
                if answer.status.is_success() {
                    assert!(!never, "{context}: {}", answer.body);
                    taken += 1;
                    continue;
                }
                is_problem(&answer, &context);
                assert!([400, 422].contains(&answer.status.as_u16()), "{context}: {}", answer.body);
                assert!(answer.pointers().contains(&pointer.as_str()), "{context}: {}", answer.body);
                assert!(
                    !holds(answer.body.to_string().as_bytes(), "live\u{202c}"),
                    "{context}: what was sent is not repeated"
                );
                assert_eq!(dump(&stack).await, before, "{context}");
            }
        }
    }
    assert!(taken > 20, "names, labels and notes take what is printable: {taken}");
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
