//! Which columns of the input are delivered, in which order, under which names.

use super::{RowError, RowErrorKind};

/// The columns that a destination asks for: all of them (the default), or a list.
///
/// The order of the list is the order in the file, left to right.
///
/// ```
/// use consign::row::{Column, Columns};
///
/// let columns = Columns::select([Column::new("tz"), Column::new("name").renamed("airport")])?;
/// let mapping = columns.resolve(&["faa", "name", "tz"])?;
/// assert_eq!(mapping.names(), ["tz", "airport"]);
/// assert_eq!(mapping.picks(), [2, 1]);
///
/// let error = columns.resolve(&["faa", "tz"]).unwrap_err();
/// assert_eq!(error.to_string(), "column `name` is not in the input, which has `faa`, `tz`");
/// # Ok::<(), consign::row::RowError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Columns {
    list: Option<Vec<Column>>,
    dots: Dots,
}

/// One column of the input and its name in the file.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Column {
    source: String,
    target: Option<String>,
}

/// What becomes of the dots in the name of a column that is not renamed.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Dots {
    /// They stay, the default.
    #[default]
    Keep,
    /// Each becomes `_`, as the platform does: `person.name` is delivered as `person_name`.
    Underscore,
}

impl Column {
    /// A column of the input, under its own name.
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), target: None }
    }

    /// The same column under another name.
    #[must_use]
    pub fn renamed(self, target: impl Into<String>) -> Self {
        Self { target: Some(target.into()), ..self }
    }

    /// The name in the input.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The name in the file, where it was given another one.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }
}

impl Columns {
    /// Every column of the input, in its order, under its own name.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The columns of the list, in its order.
    ///
    /// # Errors
    ///
    /// When two of them would have one name.
    pub fn select(list: impl IntoIterator<Item = Column>) -> Result<Self, RowError> {
        let columns = Self { list: Some(list.into_iter().collect()), dots: Dots::Keep };
        columns.checked()
    }

    /// The same columns with another rule for dots.
    ///
    /// # Errors
    ///
    /// When two columns would now have one name, or a new name holds a dot under [`Dots::Underscore`]: the platform
    /// refuses such names rather than change them.
    pub fn with_dots(self, dots: Dots) -> Result<Self, RowError> {
        Self { dots, ..self }.checked()
    }

    /// The list, or `None` where every column is delivered.
    #[must_use]
    pub fn list(&self) -> Option<&[Column]> {
        self.list.as_deref()
    }

    /// What becomes of the dots in their names.
    pub(crate) fn dots(&self) -> Dots {
        self.dots
    }

    /// Finds the columns in those of the input.
    ///
    /// # Errors
    ///
    /// When a column of the list is not in the input.
    pub fn resolve<S: AsRef<str>>(&self, input: &[S]) -> Result<Mapping, RowError> {
        let Some(list) = &self.list else {
            let names = input.iter().map(|name| self.spell(name.as_ref())).collect();
            return Ok(Mapping { picks: (0..input.len()).collect(), names });
        };
        let picks = list.iter().map(|column| {
            input.iter().position(|name| name.as_ref() == column.source).ok_or_else(|| {
                let columns = input.iter().map(|name| name.as_ref().to_owned()).collect();
                RowError::new(RowErrorKind::Missing { column: column.source.clone(), columns })
            })
        });
        Ok(Mapping { picks: picks.collect::<Result<_, _>>()?, names: list.iter().map(|c| self.name(c)).collect() })
    }

    fn checked(self) -> Result<Self, RowError> {
        let mut names = std::collections::HashSet::new();
        for column in self.list.iter().flatten() {
            let name = self.name(column);
            if self.dots == Dots::Underscore && name.contains('.') {
                return Err(RowError::new(RowErrorKind::Dot { column: name }));
            }
            if !names.insert(name.clone()) {
                return Err(RowError::new(RowErrorKind::Duplicate { column: name }));
            }
        }
        Ok(self)
    }

    fn name(&self, column: &Column) -> String {
        column.target.clone().unwrap_or_else(|| self.spell(&column.source))
    }

    fn spell(&self, name: &str) -> String {
        match self.dots {
            Dots::Keep => name.to_owned(),
            Dots::Underscore => name.replace('.', "_"),
        }
    }
}

/// [`Columns`] found in an input: which of its fields go where, and what the header says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mapping {
    picks: Vec<usize>,
    names: Vec<String>,
}

impl Mapping {
    /// Every field of rows whose columns have no names.
    pub(crate) fn unnamed(width: usize) -> Self {
        Self { picks: (0..width).collect(), names: Vec::new() }
    }

    /// For each delivered column, the position of its field in a row of the input.
    #[must_use]
    pub fn picks(&self) -> &[usize] {
        &self.picks
    }

    /// The names of the delivered columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}
