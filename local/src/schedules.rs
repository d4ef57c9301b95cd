//! What EventBridge Scheduler runs in the cloud, on demand on this machine.

use crate::clock::LocalSurroundings;
use crate::local_routes::{BoxFuture, Schedules};
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::SYSTEM;
use loyalty_store::due::Swept;
use loyalty_store::keys::SHARDS;
use loyalty_store::{Call, Engine, StoreError};
use serde_json::{Value, json};
use std::sync::Arc;

/// The schedules of the local stack.
#[derive(Debug, Clone)]
pub struct LocalSchedules {
    engine: Engine,
    surroundings: Arc<LocalSurroundings>,
}

impl LocalSchedules {
    /// The schedules over an engine.
    #[must_use]
    pub fn new(engine: Engine, surroundings: Arc<LocalSurroundings>) -> Self {
        Self { engine, surroundings }
    }

    /// Settles until nothing is due. What fails stays due and is counted once.
    async fn settle(&self) -> Result<Swept, StoreError> {
        let now = Moment::new(self.surroundings.now());
        let mut all = Swept::default();
        for program in self.engine.registered().await? {
            let call = Call { program, actor: SYSTEM.to_owned(), now };
            for shard in 0..SHARDS {
                let mut swept = self.engine.sweep(&call, shard).await?;
                while swept.failed == 0 && (swept.accounts > 0 || swept.reminders > 0) {
                    all = all.and(swept);
                    swept = self.engine.sweep(&call, shard).await?;
                }
                all = all.and(swept);
            }
        }
        Ok(all)
    }
}

impl Schedules for LocalSchedules {
    fn expiry(&self) -> BoxFuture<'_, Result<Value, String>> {
        Box::pin(async move {
            let Swept { accounts, entries, reminders, failed } =
                self.settle().await.map_err(|error| error.to_string())?;
            Ok(json!({ "accounts": accounts, "entries": entries, "reminders": reminders, "failed": failed }))
        })
    }
}
