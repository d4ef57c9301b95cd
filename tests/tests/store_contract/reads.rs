//! Reading: single items, ranges, counters, and the deletion of notes.

use crate::bench::{Bench, NOW, done, moment, posting};
use loyalty_domain::calendar::Moment;
use loyalty_store::items::Note;
use loyalty_store::{Fact, keys};

pub(crate) async fn what_was_committed_is_read_at_once(bench: Bench) {
    let posted = bench.joining(bench.member()).await;
    let member = posted.account.member;
    assert_eq!(bench.engine.account(&bench.program, member).await.unwrap(), None);
    done(bench.commit(&posting(posted.clone())).await);
    assert_eq!(bench.engine.account(&bench.program, member).await.unwrap(), Some(posted.account));
    assert_eq!(bench.engine.entries(&bench.program, member, 100, 10).await.unwrap(), posted.entries);
}

pub(crate) async fn a_range_has_both_its_ends_and_its_order_and_its_limit(bench: Bench) {
    let (member, other) = (bench.member(), bench.member());
    for seq in 1..=12 {
        done(bench.commit_facts(vec![Fact::Note(member, seq, Note::Text(format!("note {seq}")))]).await);
    }
    done(bench.commit_facts(vec![Fact::Note(other, 5, Note::Text("of another".to_owned()))]).await);
    let pk = keys::member(&bench.program, member);
    let range = async |from, to, ascending, most| -> Vec<u64> {
        let (from, to) = (keys::note_sk(from), keys::note_sk(to));
        let items = bench.table().range(&pk, &from, &to, ascending, most).await.unwrap();
        items.iter().map(|item| item["sk"].as_s().unwrap().trim_start_matches("N#").parse().unwrap()).collect()
    };
    assert_eq!(range(3, 6, true, 100).await, [3, 4, 5, 6]);
    assert_eq!(range(3, 6, false, 100).await, [6, 5, 4, 3]);
    assert_eq!(range(1, 12, false, 2).await, [12, 11]);
    assert_eq!(range(9, 99, true, 2).await, [9, 10]);
    assert!(range(13, 99, true, 2).await.is_empty());
}

pub(crate) async fn guesses_count_by_caller_kind_and_minute_and_vanish_later(bench: Bench) {
    let (engine, program) = (&bench.engine, &bench.program);
    let at = |text: &str| -> Moment { moment(text) };
    let guesses =
        async |actor: &str, what: &str, now: &str| engine.guesses(program, actor, what, at(now)).await.unwrap();
    assert_eq!(guesses("till-1", "lookup", NOW).await, 0);
    for expected in 1..=3 {
        assert_eq!(engine.guessed(program, "till-1", "lookup", at(NOW)).await.unwrap(), expected);
    }
    assert_eq!(guesses("till-1", "lookup", "2026-11-21T10:00:59.999Z").await, 3);
    assert_eq!(guesses("till-1", "lookup", "2026-11-21T10:01:00Z").await, 0);
    assert_eq!(guesses("till-2", "lookup", NOW).await, 0);
    assert_eq!(guesses("till-1", "voucher", NOW).await, 0);
    let items = bench.items().await;
    assert_eq!(items.len(), 1);
    assert!(!items[0]["pk"].as_s().unwrap().contains("till"), "callers stand in keys as hashes");
    let gone_at: i64 = items[0]["ttl"].as_n().unwrap().parse().unwrap();
    assert_eq!(gone_at, at("2026-11-21T10:10:00Z").millis() / 1000);
}

pub(crate) async fn all_notes_of_a_member_are_deleted_and_nothing_else(bench: Bench) {
    let posted = bench.joining(bench.member()).await;
    let (member, other) = (posted.account.member, bench.member());
    done(bench.commit(&posting(posted)).await);
    // More than one batch, and than one page of it.
    for first in [1, 31] {
        let notes = (first..first + 30).map(|seq| Fact::Note(member, seq, Note::Text(format!("note {seq}"))));
        done(bench.commit_facts(notes.collect()).await);
    }
    done(bench.commit_facts(vec![Fact::Note(other, 1, Note::Text("of another".to_owned()))]).await);
    let before = bench.items().await.len();
    bench.engine.delete_notes(&bench.program, member).await.unwrap();
    let left = bench.items().await;
    assert_eq!(left.len(), before - 60);
    let notes: Vec<_> = left.iter().filter(|item| item["sk"].as_s().unwrap().starts_with("N#")).collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0]["pk"].as_s().unwrap(), &keys::member(&bench.program, other));
    bench.engine.delete_notes(&bench.program, member).await.unwrap();
}
