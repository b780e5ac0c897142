//! Where files go: bucket names, folder paths and object keys, as types that only their parsers can build.
//!
//! The rules of the platform and of the stores differ; [`BucketRules`] and [`FolderRules`] name them. The defaults
//! refuse what any of the parties would refuse, so that a name that parses is a name that works.
//!
//! ```
//! use consign::location::{BucketName, FolderPath, ObjectKey};
//!
//! let bucket: BucketName = "acme-exports".parse()?;
//! let folder: FolderPath = "campaigns/2021/%SEGMENT_NAME%".parse()?;
//! let key = ObjectKey::join("campaigns/2021/Luxury Audience", "a.csv")?;
//! assert_eq!(key.as_str(), "campaigns/2021/Luxury Audience/a.csv");
//! # assert_eq!(bucket.as_str(), "acme-exports");
//! # assert_eq!(folder.as_str(), "campaigns/2021/%SEGMENT_NAME%");
//! # Ok::<(), consign::Error>(())
//! ```

mod bucket;
mod error;
mod folder;
mod key;
mod name;
mod rules;
mod text;

pub use bucket::{BucketName, BucketWarning};
pub use error::{
    BucketNameError, BucketNameErrorKind, FileNameError, FileNameErrorKind, FolderPathError, FolderPathErrorKind,
    ObjectKeyError, ObjectKeyErrorKind,
};
pub use folder::FolderPath;
pub use key::{CharClass, KeyWarning, ObjectKey};
pub use name::FileName;
pub use rules::{BucketRules, FolderRules};
