//! By what an export is known to be the same one when it is to go on.

use serde_json::json;

use super::pipeline::Run;
use crate::store::{PLACE, Settings, Store, setting};

/// Everything that an export has in common with the one that it goes on with, but its rows: the settings of its
/// destination, what its context knows, its id, the names of the rows' columns and the place that it delivers to. Of each
/// value the journal has the SHA-256 of its JSON, so that a refusal can name what differs, and the journal tells nothing.
pub(super) fn of(run: &Run, store: &Store) -> Settings {
    let Run { destination, context, id, columns, .. } = run;
    let own = [("runId", json!(id)), ("rowColumns", json!(columns)), (PLACE, json!(store.place()))];
    let context = context.settings().into_iter().map(|(name, value)| (format!("context.{name}"), value));
    let destination = destination.settings().into_iter().map(|(name, value)| (format!("destination.{name}"), value));
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    let all = own.chain(context).chain(destination);
    all.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, setting(&value))).collect()
}
