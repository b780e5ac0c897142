//! What is wrong with a name.

use crate::template::leaf_error;

leaf_error! {
    /// A text is no bucket name.
    BucketNameError(BucketNameErrorKind), Name, "could not parse the bucket name"
}

leaf_error! {
    /// A text is no folder path.
    FolderPathError(FolderPathErrorKind), Name, "could not parse the folder path"
}

leaf_error! {
    /// A text is no name of a file.
    FileNameError(FileNameErrorKind), Name, "could not parse the file name"
}

leaf_error! {
    /// A text is no object key.
    ObjectKeyError(ObjectKeyErrorKind), Name, "could not parse the object key"
}

/// What is wrong with a bucket name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum BucketNameErrorKind {
    /// It holds a character that is not allowed.
    Character,
    /// It, or a part of it between dots, begins or ends with a character that may only stand inside.
    Edge,
    /// It lacks the form that the rules ask for, such as that of a directory bucket.
    Form,
    /// It looks like an IP address, or has digits alone between its dots.
    IpAddress,
    /// It, or a part of it between dots, is too short or too long.
    Length,
    /// Two dots or two hyphens stand together.
    Repeated,
    /// A prefix, a suffix or a word in it is reserved.
    Reserved,
}

/// What is wrong with a folder path.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FolderPathErrorKind {
    /// It holds a character that is not allowed.
    Character,
    /// It is empty where the rules ask for a path.
    Empty,
    /// A macro stands where the rules allow none.
    Macro,
    /// A segment between slashes is empty, `.` or `..`, so that no key could be built.
    Segment,
    /// It is no template: a macro is unknown, not closed, or has a wrong pattern.
    Template,
}

/// What is wrong with the name of a file.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FileNameErrorKind {
    /// It holds a slash or a control character.
    Character,
    /// It is empty.
    Empty,
    /// It is longer than 255 characters.
    Length,
    /// It is `.` or `..`.
    Segment,
}

/// What is wrong with an object key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ObjectKeyErrorKind {
    /// It holds a control character, or the name of the file holds a slash.
    Character,
    /// It, or the name of the file, is empty.
    Empty,
    /// It is longer than 1,024 bytes, or the name of the file is longer than 255 characters.
    Length,
    /// A segment between slashes is empty, `.` or `..`.
    Segment,
    /// It holds a macro that was not expanded.
    Unexpanded,
}
