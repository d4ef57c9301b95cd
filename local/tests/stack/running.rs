//! Clock, events, restart and a clean stop.

use crate::process::{Running, Scratch, purchase};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_clock_moves_the_account_forward_and_back() {
    let scratch = Scratch::new("clock");
    let running = Running::start(&scratch.data());
    let api = &running.api;
    let account = async |member: &str| api.get(&format!("/v1/members/{member}/account")).await.expect(200);
    // No notice was given, so in 2029 the points have 30 days left from the moment of asking.
    for (moment, ends) in [
        ("2027-06-01T10:00:00Z", "2028-06-30T22:00:00Z"),
        ("2029-01-01T00:00:00Z", "2029-01-31T00:00:00Z"),
        ("2027-06-01T12:00:00Z", "2028-06-30T22:00:00Z"),
    ] {
        api.clock(json!(moment)).await;
        assert_eq!(api.get("/_local/clock").await.expect(200), json!({ "now": moment }));
        // Enrolled and bought on the first round only; the rest is the same request again.
        let enrolled = api.post("/v1/members", &json!({ "external_id": "m" })).await;
        let member = enrolled.body["member"]["member_id"].as_str().unwrap().to_owned();
        let bought = api.post("/v1/purchases", &purchase("A-1", &member, "2027-06-01T10:00:00Z")).await;
        assert_eq!(bought.status, 201, "{}", bought.body);
        let account = account(&member).await;
        assert_eq!((&account["as_of"], &account["points"]["available"]), (&json!(moment), &json!(62)), "{account}");
        assert_eq!(account["lots"][0]["expires_at"], ends, "{account}");
    }
    // Earlier than anything that is there: the new program has been in force for ever.
    api.clock(json!("2020-02-01T00:00:00Z")).await;
    let early = api.enrol("early").await;
    assert_eq!(account(&early).await["as_of"], "2020-02-01T00:00:00Z");
    assert_eq!(api.get("/v1/program").await.expect(200)["version"], 1);
    api.clock(Value::Null).await;
    assert_ne!(account(&early).await["as_of"], "2020-02-01T00:00:00Z");
    for wrong in [
        json!({}),
        json!({ "now": "soon" }),
        json!({ "now": 5 }),
        json!({ "now": "2027-01-01" }),
        json!({ "then": null }),
    ] {
        let refused = api.post("/_local/clock", &wrong).await;
        assert!([400, 422].contains(&refused.status), "{wrong}");
    }
}

#[tokio::test]
async fn each_entry_is_one_event_and_stays_one_after_a_restart() {
    let scratch = Scratch::new("events");
    let running = Running::start(&scratch.data());
    let api = running.api.clone();
    let now = api.get("/_local/clock").await.expect(200)["now"].as_str().unwrap().to_owned();
    let members = [api.enrol("one").await, api.enrol("two").await];
    for (number, member) in members.iter().cycle().take(10).enumerate() {
        api.post("/v1/purchases", &purchase(&format!("A-{number}"), member, &now)).await.expect(201);
        let events = api.events(None).await;
        let last = events.last().unwrap();
        assert_eq!(last["data"]["entry"]["cause"]["purchase"]["order_id"], format!("A-{number}"), "there at once");
    }
    // A replay is no new event.
    api.post("/v1/purchases", &purchase("A-0", &members[0], &now)).await.expect(201);
    let events = api.events(None).await;
    let mut written = BTreeSet::new();
    for member in &members {
        for entry in api.ledger(member).await {
            let id = entry["entry_id"].as_str().unwrap().to_owned();
            let event = events.iter().find(|event| event["id"] == *id).unwrap();
            assert_eq!(
                event["data"],
                json!({ "program": "main", "member_id": member, "seq": entry["seq"], "entry": entry })
            );
            assert_eq!((&event["specversion"], &event["subject"]), (&json!("1.0"), &json!(member)));
            written.insert(id);
        }
    }
    let sent: BTreeSet<String> = ids(&events).into_iter().map(str::to_owned).collect();
    assert_eq!((sent.len(), &sent), (events.len(), &written), "each once, and no other");
    for (place, id) in ids(&events).into_iter().enumerate() {
        assert_eq!(api.events(Some(id)).await, events[place + 1..]);
    }

    assert!(running.stop("-TERM").status.success());
    let again = Running::start(&scratch.data());
    assert_eq!(again.api.events(None).await, events);
    again.api.post("/v1/purchases", &purchase("B-1", &members[0], &now)).await.expect(201);
    let more = again.api.events(Some(events.last().unwrap()["id"].as_str().unwrap())).await;
    assert_eq!(more.len(), 1);
    assert_eq!(more[0]["data"]["entry"]["cause"]["purchase"]["order_id"], "B-1");
}

#[tokio::test]
async fn it_stops_cleanly_on_ctrl_c_and_everything_is_there_again() {
    let scratch = Scratch::new("stop");
    let running = Running::start(&scratch.data());
    let api = running.api.clone();
    let member = api.enrol("m").await;
    let before = api.ledger(&member).await;
    let cursor = api.get(&format!("/v1/members/{member}/ledger?limit=1")).await.expect(200)["next_cursor"].clone();
    let url = api.url.clone();
    let output = running.stop("-INT");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.trim_end().ends_with("loyalty: stopped"), "{said}");
    let again = Running::start(&scratch.data());
    assert!(again.welcome.contains("version 1"), "the program is not published twice: {}", again.welcome);
    assert_eq!(again.api.ledger(&member).await, before);
    // Tokens and cursors outlive the process that issued them.
    let mut old = again.api.clone();
    old.operator = api.operator;
    assert_ne!((old.url.as_str(), old.operator.as_str()), (url.as_str(), again.api.operator.as_str()));
    let path = format!("/v1/members/{member}/ledger?limit=1&cursor={}", cursor.as_str().unwrap());
    assert_eq!(old.get(&path).await.expect(200)["entries"][0]["seq"], 1);
}

#[tokio::test]
async fn the_lines_it_prints_work_as_they_are_pasted() {
    let scratch = Scratch::new("welcome");
    let running = Running::start(&scratch.data());
    let lines: Vec<&str> = running.welcome.lines().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 2, "{}", running.welcome);
    let exports: Vec<&str> = running.welcome.lines().filter(|line| line.starts_with("export ")).collect();
    for (line, expected) in lines.into_iter().zip(["\"referral_code\"", "\"entries\":[{"]) {
        let script = format!("{}\n{line}", exports.join("\n"));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(expected), "{line}: {said} {}", String::from_utf8_lossy(&output.stderr));
    }
}
