//! What passes is waited out; what may have been carried out is found out, never guessed.

use crate::bench::{Bench, done, person, posting, refused};
use aws_sdk_dynamodb::types::AttributeValue;
use it::faults::{Fault, Plan};
use loyalty_store::write::Write;
use loyalty_store::{Fact, Pool, Slot, StoreError, keys};

/// Every call of a plan meets this fault.
fn always(fault: Fault) -> Plan {
    Plan::script((0..1_000).map(|call| (call, fault)))
}

pub(crate) async fn every_passing_fault_is_waited_out_and_written_once(bench: Bench) {
    for fault in Fault::ALL {
        let posted = bench.joining(bench.member()).await;
        let before = bench.items().await.len();
        bench.faults.arm(Plan::script([(0, fault), (1, fault)]));
        done(bench.commit(&posting(posted.clone())).await);
        bench.faults.disarm();
        assert_eq!(bench.items().await.len(), before + 2, "{fault:?}");
        let slots = refused(bench.commit(&posting(posted)).await);
        assert_eq!(slots[0].0, Slot::Account);
    }
}

pub(crate) async fn a_commit_whose_answer_was_lost_is_ours(bench: Bench) {
    let member = bench.member();
    let ada = person("+4915112345678", "ada@example.com");
    bench.faults.arm(Plan::nth(0, Fault::LoseAnswer));
    done(bench.commit_facts(vec![Fact::Person(member, ada.clone())]).await);
    assert_eq!(bench.faults.seen(), 2);
    // A deletion leaves nothing by which it could be recognised.
    bench.faults.arm(Plan::nth(0, Fault::LoseAnswer));
    done(bench.commit_facts(vec![Fact::PersonGone(member, 1)]).await);
    bench.faults.disarm();
    assert!(bench.items().await.is_empty());
}

pub(crate) async fn a_commit_whose_answer_was_lost_is_ours_though_others_have_moved_on(bench: Bench) {
    let mut posted = bench.joining(bench.member()).await;
    done(bench.commit(&posting(posted.clone())).await);
    posted.entries.clear();
    (posted.expected_version, posted.account.version) = (1, 2);
    let mut next = posted.clone();
    (next.expected_version, next.account.version) = (2, 3);
    let key = keys::account(&bench.program, posted.account.member);
    // Our answer is lost, and so are a few attempts after it; meanwhile another commits upon what we wrote.
    bench.faults.arm(Plan::script([(0, Fault::LoseAnswer), (1, Fault::LoseRequest), (2, Fault::LoseRequest)]));
    let ours = async { done(bench.commit(&posting(posted)).await) };
    let theirs = async {
        loop {
            let get = bench.straight.get_item().table_name(bench.table().name()).consistent_read(true);
            let get = get.key("pk", AttributeValue::S(key.pk.clone()));
            let item = get.key("sk", AttributeValue::S(key.sk.clone())).send().await.unwrap().item.unwrap();
            if item["v"].as_n().unwrap() == "2" {
                break;
            }
            tokio::task::yield_now().await;
        }
        let moved = loyalty_store::items::with_body(bench.table().get(&key).await.unwrap().unwrap(), &next.account);
        let mut moved = moved.unwrap();
        moved.insert("v".to_owned(), AttributeValue::N("3".to_owned()));
        bench.straight.put_item().table_name(bench.table().name()).set_item(Some(moved)).send().await.unwrap();
    };
    tokio::join!(ours, theirs);
    bench.faults.disarm();
    let stands = bench.engine.account(&bench.program, next.account.member).await.unwrap().unwrap();
    assert_eq!(stands.version, 3);
}

pub(crate) async fn the_same_items_written_by_somebody_else_are_not_ours(bench: Bench) {
    // Two tills send the same purchase at the same moment: the items are the same to the byte.
    let posted = bench.joining(bench.member()).await;
    done(bench.commit(&posting(posted.clone())).await);
    for fault in [Fault::LoseRequest, Fault::LoseAnswer, Fault::ServerError, Fault::Throttle] {
        bench.faults.arm(Plan::nth(0, fault));
        let slots = refused(bench.commit(&posting(posted.clone())).await);
        bench.faults.disarm();
        assert_eq!(slots[0].0, Slot::Account, "{fault:?}");
    }
}

pub(crate) async fn what_never_passes_is_unavailable_and_not_written(bench: Bench) {
    let posted = bench.joining(bench.member()).await;
    let before = bench.items().await.len();
    for fault in [Fault::Conflict, Fault::LoseRequest] {
        bench.faults.arm(always(fault));
        let write = Write { posted: Some((posted.clone(), None)), facts: Vec::new() };
        let failed = bench.table().commit(&bench.program, &write).await.unwrap_err();
        assert!(matches!(failed, StoreError::Unavailable(_)), "{fault:?}: {failed:?}");
        bench.faults.disarm();
    }
    assert_eq!(bench.items().await.len(), before);
}

pub(crate) async fn reads_wait_out_what_passes_and_no_more(bench: Bench) {
    let posted = bench.joining(bench.member()).await;
    done(bench.commit(&posting(posted.clone())).await);
    let key = keys::account(&bench.program, posted.account.member);
    for fault in Fault::ALL {
        bench.faults.arm(Plan::script([(0, fault), (1, fault)]));
        assert!(bench.table().get(&key).await.unwrap().is_some(), "{fault:?}");
    }
    bench.faults.arm(always(Fault::Throttle));
    assert!(matches!(bench.table().get(&key).await.unwrap_err(), StoreError::Unavailable(_)));
    bench.faults.disarm();
}

pub(crate) async fn a_missing_table_is_an_error_at_once(bench: Bench) {
    let posted = bench.joining(bench.member()).await;
    bench.straight.delete_table().table_name(bench.table().name()).send().await.unwrap();
    bench.faults.arm(Plan::script([]));
    let key = keys::account(&bench.program, posted.account.member);
    let refused = StoreError::Refused("ResourceNotFoundException".to_owned());
    assert_eq!(bench.table().get(&key).await.unwrap_err(), refused);
    let write = posting(posted);
    assert_eq!(bench.table().commit(&bench.program, &write).await.unwrap_err(), refused);
    assert_eq!(bench.faults.seen(), 2);
}

pub(crate) async fn what_a_lost_answer_counted_is_not_counted_again(bench: Bench) {
    let spend = |points, most| Fact::Drawn {
        pool: Pool::Budget("rule".parse().unwrap()),
        total: 800,
        shard: 0,
        amount: points,
        most,
    };
    bench.faults.arm(Plan::script([(0, Fault::LoseAnswer), (1, Fault::LoseAnswer)]));
    done(bench.commit_facts(vec![spend(60, Some(40))]).await);
    bench.faults.disarm();
    done(bench.commit_facts(vec![spend(40, Some(60))]).await);
    let slots = refused(bench.commit_facts(vec![spend(1, Some(99))]).await);
    assert!(matches!(slots.as_slice(), [(Slot::Pool(_), _)]));
}
