//! `columns`: which columns are delivered, in which order, under which names.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::row::Column;

/// A column: its name, or `{"source": …, "target": …}`.
pub(super) struct RawColumn(pub(super) Column);

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Renamed {
    source: String,
    #[serde(alias = "destination")]
    target: Option<String>,
}

impl<'de> Deserialize<'de> for RawColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawColumn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column's name, or an object with `source` and `target`")
            }

            fn visit_str<E: de::Error>(self, source: &str) -> Result<RawColumn, E> {
                Ok(RawColumn(Column::new(source)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawColumn, A::Error> {
                let Renamed { source, target } = Renamed::deserialize(MapAccessDeserializer::new(map))?;
                let column = Column::new(source);
                Ok(RawColumn(match target {
                    Some(target) => column.renamed(target),
                    None => column,
                }))
            }
        }

        deserializer.deserialize_any(Read)
    }
}
