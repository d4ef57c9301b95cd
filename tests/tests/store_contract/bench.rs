//! A table behind the fault layer, on either database.

use aws_sdk_dynamodb::Client;
use it::faults::Faults;
use it::stack::plain_program;
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::Posted;
use loyalty_domain::id::{MemberId, ProgramId};
use loyalty_domain::json;
use loyalty_domain::membership::{self, Joining};
use loyalty_domain::profile::{self, Profile};
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::{Purchase, record_guest};
use loyalty_domain::requests;
use loyalty_local::embedded::{Embedded, client_for_endpoint_with, client_with, plain_http};
use loyalty_store::items::{Item, Person};
use loyalty_store::table::Committed;
use loyalty_store::write::Write;
use loyalty_store::{Call, Engine, Fact, Secrets, Slot, Table, create_table, programs};
use std::sync::Arc;
use ulid::Ulid;

pub(crate) const NOW: &str = "2026-11-21T10:00:00Z";

/// A table, the layer before it, and a client past the layer.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) faults: Faults,
    pub(crate) straight: Client,
    pub(crate) program: ProgramId,
}

pub(crate) fn moment(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

impl Bench {
    pub(crate) async fn embedded() -> Self {
        let embedded = Embedded::memory().unwrap();
        let (http, faults) = Faults::around(embedded.http_client());
        Self::on(client_with(http), embedded.client(), faults, "contract".to_owned()).await
    }

    /// A table of its own on DynamoDB Local; none where there is none.
    pub(crate) async fn dynamodb_local() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "a test is told from outside where the database is")]
        let url = std::env::var("DYNAMODB_LOCAL").ok()?;
        let (http, faults) = Faults::around(plain_http());
        let name = format!("contract-{}", Ulid::from(rand::random::<u128>()));
        let straight = client_for_endpoint_with(plain_http(), &url);
        Some(Self::on(client_for_endpoint_with(http, &url), straight, faults, name).await)
    }

    async fn on(client: Client, straight: Client, faults: Faults, name: String) -> Self {
        create_table(&client, &name).await.unwrap();
        let engine = Engine::new(table(client, name, Secrets::new(&[b"secret"], &[b"vouchers"])));
        Self { engine, faults, straight, program: "main".parse().unwrap() }
    }

    pub(crate) fn table(&self) -> &Table {
        self.engine.table()
    }

    /// The same table with other secrets.
    pub(crate) fn table_under(&self, secrets: Secrets) -> Table {
        table(self.table().client().clone(), self.table().name().to_owned(), secrets)
    }

    pub(crate) fn call(&self, now: &str) -> Call {
        Call { program: self.program.clone(), actor: "till-1".to_owned(), now: moment(now) }
    }

    /// Publishes the plain program as version 1 and gives it.
    pub(crate) async fn published(&self) -> Arc<Programs> {
        let document = plain_program().to_string();
        assert!(programs::publish(self.table(), &self.program, &[], moment(NOW), &document).await.unwrap());
        self.engine.programs(&self.call(NOW)).await.unwrap()
    }

    pub(crate) fn member(&self) -> MemberId {
        MemberId::new(Ulid::from(rand::random::<u128>()))
    }

    /// The enrolment of a member, not yet written.
    pub(crate) async fn joining(&self, member: MemberId) -> Posted {
        let programs = match self.engine.programs(&self.call(NOW)).await {
            Ok(programs) => programs,
            Err(_) => self.published().await,
        };
        let joining = Joining { member, zone: None, tags: Vec::new() };
        membership::enrol(joining, &programs, moment(NOW), "till-1").unwrap()
    }

    pub(crate) async fn commit(&self, write: &Write) -> Committed {
        self.table().commit(&self.program, write).await.unwrap()
    }

    pub(crate) async fn commit_facts(&self, facts: Vec<Fact>) -> Committed {
        self.commit(&Write { posted: None, facts }).await
    }

    /// The items of the table, past the layer.
    pub(crate) async fn items(&self) -> Vec<Item> {
        let scan = self.straight.scan().table_name(self.table().name()).consistent_read(true);
        scan.send().await.unwrap().items.unwrap()
    }
}

/// Ids are random: tests on one database share its memory of transactions.
fn table(client: Client, name: String, secrets: Secrets) -> Table {
    Table::new(client, name, secrets, Arc::new(|| Ulid::from(rand::random::<u128>())))
}

/// A write of an account alone.
pub(crate) fn posting(posted: Posted) -> Write {
    Write { posted: Some((posted, None)), facts: Vec::new() }
}

#[track_caller]
pub(crate) fn done(committed: Committed) {
    assert!(matches!(committed, Committed::Done), "{committed:?}");
}

/// The slots that refused, with what stands there.
#[track_caller]
pub(crate) fn refused(committed: Committed) -> Vec<(Slot, Option<Item>)> {
    match committed {
        Committed::Done => panic!("it was written"),
        Committed::Refused(slots) => slots,
    }
}

fn read<T>(text: &str, with: impl Fn(&json::Json, &json::Path<'_>, &mut json::Faults) -> Option<T>) -> T {
    let json = json::parse(text.as_bytes()).unwrap();
    let mut faults = json::Faults::default();
    let read = with(&json, &json::Path::ROOT, &mut faults);
    assert!(faults.is_empty(), "{faults:?}");
    read.unwrap()
}

/// A guest's purchase.
pub(crate) fn purchase(programs: &Programs, order: &str) -> Purchase {
    let body = format!(
        r#"{{"channel": "web", "order_id": "{order}", "occurred_at": "{NOW}", "currency": "EUR",
             "lines": [{{"line_id": "1", "quantity": 3, "net_amount": 1000}}]}}"#
    );
    let (order, _) = read(&body, requests::purchase);
    record_guest(programs, &order, moment(NOW)).unwrap()
}

/// The return of one of its line.
pub(crate) fn returned(refund: &str) -> loyalty_domain::refund::Return {
    let body =
        format!(r#"{{"refund_id": "{refund}", "occurred_at": "{NOW}", "lines": [{{"line_id": "1", "quantity": 1}}]}}"#);
    read(&body, requests::refund)
}

/// A person of this phone number and e-mail address.
pub(crate) fn person(phone: &str, email: &str) -> Person {
    let body = format!(
        r#"{{"external_id": "crm-{}", "phone": "{phone}", "email": "{email}"}}"#,
        phone.trim_start_matches('+')
    );
    let profile: Profile = read(&body, profile::enrolment).profile;
    Person { profile, version: 1, referral_code: "H7K2M9QX".to_owned(), enrolled_by: [1; 16] }
}
