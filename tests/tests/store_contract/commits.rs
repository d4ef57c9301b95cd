//! Every place of a commit refuses for its own reason, and shows what stands there.

use crate::bench::{Bench, NOW, done, moment, person, posting, purchase, refused, returned};
use aws_sdk_dynamodb::types::{StreamViewType, TimeToLiveStatus};
use loyalty_domain::account::Account;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::refund::{Refund, refund_guest};
use loyalty_store::due::What;
use loyalty_store::items::Note;
use loyalty_store::items::{Carried, IdentityOf, Person, body};
use loyalty_store::write::Write;
use loyalty_store::{Fact, Pool, Secrets, Slot, create_table, keys};

pub(crate) async fn a_table_made_twice_is_one_table_with_indexes_stream_and_ttl(bench: Bench) {
    create_table(&bench.straight, bench.table().name()).await.unwrap();
    let described = bench.straight.describe_table().table_name(bench.table().name()).send().await.unwrap();
    let table = described.table.unwrap();
    let mut indexes: Vec<&str> =
        table.global_secondary_indexes().iter().filter_map(|index| index.index_name()).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, ["birthday", "due"]);
    let stream = table.stream_specification().unwrap();
    assert_eq!(stream.stream_view_type(), Some(&StreamViewType::NewAndOldImages));
    let ttl = bench.straight.describe_time_to_live().table_name(bench.table().name()).send().await.unwrap();
    let ttl = ttl.time_to_live_description.unwrap();
    assert_eq!((ttl.time_to_live_status(), ttl.attribute_name()), (Some(&TimeToLiveStatus::Enabled), Some("ttl")));
}

pub(crate) async fn an_account_that_is_there_refuses_its_enrolment(bench: Bench) {
    let posted = bench.joining(bench.member()).await;
    done(bench.commit(&posting(posted.clone())).await);
    let slots = refused(bench.commit(&posting(posted.clone())).await);
    assert_eq!(slots.iter().map(|(slot, _)| slot.clone()).collect::<Vec<_>>(), [Slot::Account, Slot::Entry]);
    assert_eq!(body::<Account>(slots[0].1.as_ref().unwrap()).unwrap(), posted.account);
}

pub(crate) async fn an_account_that_has_moved_refuses_and_shows_where_it_stands(bench: Bench) {
    let mut posted = bench.joining(bench.member()).await;
    done(bench.commit(&posting(posted.clone())).await);
    // A change without entries, twice from the same version.
    posted.entries.clear();
    posted.expected_version = 1;
    posted.account.version = 2;
    done(bench.commit(&posting(posted.clone())).await);
    let mut late = posted.clone();
    late.account.debt = 5;
    let slots = refused(bench.commit(&posting(late)).await);
    assert_eq!(slots.len(), 1);
    assert_eq!(slots[0].0, Slot::Account);
    assert_eq!(body::<Account>(slots[0].1.as_ref().unwrap()).unwrap(), posted.account);
    // One who was never there has no version to show.
    let mut unknown = posted;
    unknown.account.member = bench.member();
    assert_eq!(refused(bench.commit(&posting(unknown)).await), [(Slot::Account, None)]);
}

pub(crate) async fn a_number_that_is_taken_refuses_its_entry(bench: Bench) {
    let mut posted = bench.joining(bench.member()).await;
    done(bench.commit(&posting(posted.clone())).await);
    posted.expected_version = 1;
    posted.account.version = 2;
    let slots = refused(bench.commit(&posting(posted)).await);
    assert_eq!(slots.len(), 1);
    assert_eq!(slots[0].0, Slot::Entry);
    assert!(slots[0].1.is_some());
}

pub(crate) async fn a_purchase_is_recorded_once(bench: Bench) {
    let programs = bench.published().await;
    let purchase = purchase(&programs, "A-1");
    done(bench.commit_facts(vec![Fact::Purchase(purchase.clone())]).await);
    let slots = refused(bench.commit_facts(vec![Fact::Purchase(purchase.clone())]).await);
    assert_eq!(slots[0].0, Slot::Purchase);
    assert_eq!(body::<Purchase>(slots[0].1.as_ref().unwrap()).unwrap(), purchase);
    let found = bench.engine.purchase(&bench.program, &purchase.channel, &purchase.order_id).await.unwrap();
    assert_eq!(found, Some(purchase));
}

pub(crate) async fn what_is_left_of_a_purchase_is_written_after_its_version_only(bench: Bench) {
    let programs = bench.published().await;
    let first = purchase(&programs, "A-1");
    assert_eq!(
        refused(bench.commit_facts(vec![Fact::PurchaseLeft(first.clone(), 1)]).await),
        [(Slot::PurchaseLeft, None)]
    );
    done(bench.commit_facts(vec![Fact::Purchase(first.clone())]).await);
    let second = refund_guest(first, &returned("R-1"), moment(NOW)).unwrap().purchase;
    done(bench.commit_facts(vec![Fact::PurchaseLeft(second.clone(), 1)]).await);
    let slots = refused(bench.commit_facts(vec![Fact::PurchaseLeft(second.clone(), 1)]).await);
    assert_eq!(slots[0].0, Slot::PurchaseLeft);
    assert_eq!(body::<Purchase>(slots[0].1.as_ref().unwrap()).unwrap(), second);
}

pub(crate) async fn a_refund_is_recorded_once(bench: Bench) {
    let programs = bench.published().await;
    let decided = refund_guest(purchase(&programs, "A-1"), &returned("R-1"), moment(NOW)).unwrap();
    let fact = || vec![Fact::Refund(decided.purchase.clone(), decided.refund.clone())];
    done(bench.commit_facts(fact()).await);
    let slots = refused(bench.commit_facts(fact()).await);
    assert_eq!(slots[0].0, Slot::Refund);
    assert_eq!(body::<Refund>(slots[0].1.as_ref().unwrap()).unwrap(), decided.refund);
    let found = bench.engine.refund(&bench.program, &decided.purchase, &"R-1".parse().unwrap()).await.unwrap();
    assert_eq!(found, Some(decided.refund));
}

pub(crate) async fn a_request_is_carried_out_once(bench: Bench) {
    let posted = bench.joining(bench.member()).await;
    let carried = Carried { content: [7; 16], member: posted.account.member, entries: posted.entries };
    let fact = || vec![Fact::Request("hash".to_owned(), carried.clone())];
    done(bench.commit_facts(fact()).await);
    let slots = refused(bench.commit_facts(fact()).await);
    assert_eq!(slots[0].0, Slot::Request);
    assert_eq!(body::<Carried>(slots[0].1.as_ref().unwrap()).unwrap(), carried);
}

pub(crate) async fn a_person_is_made_once_changed_and_deleted_after_their_version_only(bench: Bench) {
    let member = bench.member();
    let first = person("+4915112345678", "ada@example.com");
    let second = Person { version: 2, ..person("+4915112345678", "countess@example.com") };
    assert_eq!(
        refused(bench.commit_facts(vec![Fact::PersonChanged(member, second.clone(), 1)]).await),
        [(Slot::Person, None)]
    );
    done(bench.commit_facts(vec![Fact::Person(member, first.clone())]).await);
    let shows = |slots: Vec<(Slot, Option<_>)>, stands: &Person| {
        assert_eq!(slots[0].0, Slot::Person);
        assert_eq!(body::<Person>(slots[0].1.as_ref().unwrap()).unwrap(), *stands);
    };
    shows(refused(bench.commit_facts(vec![Fact::Person(member, first.clone())]).await), &first);
    done(bench.commit_facts(vec![Fact::PersonChanged(member, second.clone(), 1)]).await);
    shows(refused(bench.commit_facts(vec![Fact::PersonChanged(member, second.clone(), 1)]).await), &second);
    shows(refused(bench.commit_facts(vec![Fact::PersonGone(member, 1)]).await), &second);
    assert_eq!(bench.engine.person(&bench.program, member).await.unwrap(), Some(second));
    done(bench.commit_facts(vec![Fact::PersonGone(member, 2)]).await);
    assert_eq!(bench.engine.person(&bench.program, member).await.unwrap(), None);
    assert_eq!(refused(bench.commit_facts(vec![Fact::PersonGone(member, 2)]).await), [(Slot::Person, None)]);
}

fn identities(of: &Person, owner: &IdentityOf) -> Vec<Fact> {
    of.profile.identities().into_iter().map(|identity| Fact::Identity(identity, owner.clone())).collect()
}

pub(crate) async fn identities_that_are_taken_are_named_by_their_places(bench: Bench) {
    let (ada, bob) = (IdentityOf { member: bench.member() }, IdentityOf { member: bench.member() });
    done(bench.commit_facts(identities(&person("+4915112345678", "ada@example.com"), &ada)).await);
    let slots = refused(bench.commit_facts(identities(&person("+4915112345679", "ada@example.com"), &bob)).await);
    let places: Vec<&Slot> = slots.iter().map(|(slot, _)| slot).collect();
    let expected = person("+4915112345679", "ada@example.com").profile.identities();
    let email = expected.iter().position(|identity| identity.value == "ada@example.com").unwrap();
    assert_eq!(places, [&Slot::Identity(email)]);
    assert_eq!(body::<IdentityOf>(slots[0].1.as_ref().unwrap()).unwrap(), ada);
}

pub(crate) async fn an_identity_is_unique_under_every_secret_in_use(bench: Bench) {
    let owner = IdentityOf { member: bench.member() };
    let ada = person("+4915112345678", "ada@example.com");
    done(bench.commit_facts(identities(&ada, &owner)).await);
    let rotated = bench.table_under(Secrets::new(&[b"a newer one", b"secret"], &[b"vouchers"]));
    let write = Write { posted: None, facts: identities(&ada, &owner) };
    let slots = refused(rotated.commit(&bench.program, &write).await.unwrap());
    let places: Vec<&Slot> = slots.iter().map(|(slot, _)| slot).collect();
    assert_eq!(places, [&Slot::Identity(0), &Slot::Identity(1), &Slot::Identity(2)]);
    let engine = loyalty_store::Engine::new(rotated);
    for identity in ada.profile.identities() {
        let reference = loyalty_domain::identity::Reference::Identity(identity);
        assert_eq!(engine.resolve(&bench.program, &reference).await.unwrap(), Some(owner.member));
    }
}

pub(crate) async fn a_code_is_given_once(bench: Bench) {
    let code = |member| vec![Fact::Code("H7K2M9QX".to_owned(), member)];
    done(bench.commit_facts(code(bench.member())).await);
    let slots = refused(bench.commit_facts(code(bench.member())).await);
    assert_eq!(slots[0].0, Slot::Code);
    assert!(slots[0].1.is_some());
}

pub(crate) async fn notes_and_deletions_have_no_condition(bench: Bench) {
    let (member, ada) = (bench.member(), person("+4915112345678", "ada@example.com"));
    let gone = || ada.profile.identities().into_iter().map(Fact::IdentityGone);
    let facts = || {
        gone().chain([Fact::Note(member, 3, Note::Text("a word".to_owned())), Fact::CodeGone("H7K2M9QX".to_owned())])
    };
    for _ in 0..2 {
        done(bench.commit_facts(facts().collect()).await);
    }
    assert_eq!(bench.items().await.len(), 1);
}

pub(crate) async fn what_is_refused_in_part_is_not_written_at_all(bench: Bench) {
    let programs = bench.published().await;
    let (ada, bob) = (bench.joining(bench.member()).await, bench.joining(bench.member()).await);
    done(bench.commit(&posting(ada.clone())).await);
    done(bench.commit_facts(vec![Fact::Code("H7K2M9QX".to_owned(), ada.account.member)]).await);
    let before = bench.items().await.len();
    let facts = vec![
        Fact::Purchase(purchase(&programs, "A-1")),
        Fact::Code("H7K2M9QX".to_owned(), bob.account.member),
        Fact::Note(bob.account.member, 1, Note::Text("a word".to_owned())),
    ];
    let slots = refused(bench.commit(&Write { posted: Some((bob, None)), facts }).await);
    assert_eq!(slots.iter().map(|(slot, _)| slot.clone()).collect::<Vec<_>>(), [Slot::Code]);
    assert_eq!(bench.items().await.len(), before);
}

pub(crate) async fn an_account_with_something_due_is_found_by_its_hour(bench: Bench) {
    let posted = bench.joining(bench.member()).await;
    let member = posted.account.member;
    let at = moment("2027-01-01T00:30:00Z");
    done(bench.commit(&Write { posted: Some((posted.clone(), Some(at))), facts: Vec::new() }).await);
    let found = async |by: &str| {
        let found = bench.engine.due(&bench.program, keys::shard(member), moment(by), None, 10).await.unwrap();
        found.0.into_iter().map(|due| due.what).collect::<Vec<_>>()
    };
    assert!(found("2026-12-31T23:59:59Z").await.is_empty(), "not before its hour");
    assert_eq!(found("2027-01-01T00:00:00Z").await, [What::Account(member)]);
    assert_eq!(found("2099-01-01T00:00:00Z").await, [What::Account(member)], "however late it is looked for");
    // With nothing due any more it leaves the index.
    let mut settled = posted;
    (settled.expected_version, settled.account.version) = (1, 2);
    settled.entries.clear();
    done(bench.commit(&posting(settled)).await);
    assert!(found("2099-01-01T00:00:00Z").await.is_empty());
}

pub(crate) async fn a_shard_of_a_campaign_is_never_overdrawn(bench: Bench) {
    let spend = |points, most| Fact::Drawn {
        pool: Pool::Budget("rule".parse().unwrap()),
        total: 800,
        shard: 3,
        amount: points,
        most,
    };
    done(bench.commit_facts(vec![spend(60, Some(40))]).await);
    done(bench.commit_facts(vec![spend(40, Some(60))]).await);
    let slots = refused(bench.commit_facts(vec![spend(1, Some(99))]).await);
    assert_eq!(
        slots.iter().map(|(slot, _)| slot.clone()).collect::<Vec<_>>(),
        [Slot::Pool(Pool::Budget("rule".parse().unwrap()))]
    );
    // What comes back always may.
    done(bench.commit_facts(vec![spend(-5, None)]).await);
    done(bench.commit_facts(vec![spend(5, Some(95))]).await);
    assert!(matches!(refused(bench.commit_facts(vec![spend(1, Some(99))]).await).as_slice(), [(Slot::Pool(_), _)]));
}
