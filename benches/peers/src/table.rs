//! TPC-H `lineitem`, made once and held in memory in the shapes that the writers take.

use std::fmt::Write as _;
use std::ops::Range;

use serde::Serialize;
use tpchgen::generators::LineItemGenerator;

pub const COLUMNS: usize = 16;

/// Rows that are encoded in one go: about 1 MB, as an export hands them over, and what engines put in a batch.
pub const BLOCK: usize = 8_192;

/// The texts of all fields in one allocation; everything else borrows from it.
pub struct Table {
    text: String,
    fields: Vec<Range<u32>>,
}

/// What a program has that holds its rows as structs.
#[derive(Serialize)]
pub struct LineItem<'a> {
    orderkey: i64,
    partkey: i64,
    suppkey: i64,
    linenumber: i64,
    quantity: f64,
    extendedprice: f64,
    discount: f64,
    tax: f64,
    returnflag: &'a str,
    linestatus: &'a str,
    shipdate: &'a str,
    commitdate: &'a str,
    receiptdate: &'a str,
    shipinstruct: &'a str,
    shipmode: &'a str,
    comment: &'a str,
}

impl Table {
    pub fn generate(scale: f64) -> Self {
        let (mut text, mut fields, mut row) = (String::new(), Vec::new(), String::new());
        for item in LineItemGenerator::new(scale, 1, 1).iter() {
            row.clear();
            write!(row, "{item}").expect("a String takes any text");
            let before = fields.len();
            for field in row.strip_suffix('|').expect("a line ends with a bar").split('|') {
                let start = u32::try_from(text.len()).expect("the table is below 4 GiB");
                text.push_str(field);
                fields.push(start..start + u32::try_from(field.len()).expect("a short text"));
            }
            assert_eq!(fields.len() - before, COLUMNS, "{row}");
        }
        Self { text, fields }
    }

    pub fn rows(&self) -> usize {
        self.fields.len() / COLUMNS
    }

    /// The fields of all rows, block by block.
    pub fn blocks(&self) -> impl Iterator<Item = Vec<&str>> {
        self.fields.chunks(BLOCK * COLUMNS).map(|block| block.iter().map(|field| self.field(field)).collect())
    }

    pub fn structs(&self) -> Vec<Vec<LineItem<'_>>> {
        self.blocks().map(|block| block.chunks_exact(COLUMNS).map(LineItem::new).collect()).collect()
    }

    fn field(&self, field: &Range<u32>) -> &str {
        &self.text[field.start as usize..field.end as usize]
    }
}

impl<'a> LineItem<'a> {
    fn new(row: &[&'a str]) -> Self {
        let integer = |column: usize| row[column].parse().expect("an integer column");
        let float = |column: usize| row[column].parse().expect("a decimal column");
        Self {
            orderkey: integer(0),
            partkey: integer(1),
            suppkey: integer(2),
            linenumber: integer(3),
            quantity: float(4),
            extendedprice: float(5),
            discount: float(6),
            tax: float(7),
            returnflag: row[8],
            linestatus: row[9],
            shipdate: row[10],
            commitdate: row[11],
            receiptdate: row[12],
            shipinstruct: row[13],
            shipmode: row[14],
            comment: row[15],
        }
    }
}
