//! TPC-H `lineitem`, made once and held in memory in the shapes that the writers take.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type};
use arrow_array::{ArrayRef, Date32Array, Decimal128Array, PrimitiveArray, RecordBatch, StringViewArray};
use arrow_ipc::writer::FileWriter;
use chrono::NaiveDate;
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

    /// Typed columns, as TPC-H has them.
    pub fn arrow(&self) -> Vec<RecordBatch> {
        self.blocks().map(|block| columns(&block)).collect()
    }

    /// Writes the rows into a folder, as Arrow IPC and as the CSV that they become.
    pub fn write(&self, folder: &Path) -> Result<(), Box<dyn Error>> {
        let (batches, mut csv) = (self.arrow(), File::create(folder.join("lineitem.csv"))?);
        let schema = batches[0].schema();
        let mut ipc = FileWriter::try_new(File::create(folder.join("lineitem.arrow"))?, &schema)?;
        for batch in &batches {
            ipc.write(batch)?;
            arrow_csv::WriterBuilder::new().with_header(false).build(&mut csv).write(batch)?;
        }
        Ok(ipc.finish()?)
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

const NAMES: [&str; COLUMNS] = [
    "orderkey",
    "partkey",
    "suppkey",
    "linenumber",
    "quantity",
    "extendedprice",
    "discount",
    "tax",
    "returnflag",
    "linestatus",
    "shipdate",
    "commitdate",
    "receiptdate",
    "shipinstruct",
    "shipmode",
    "comment",
];

fn columns(block: &[&str]) -> RecordBatch {
    let column = |(column, name): (usize, &&'static str)| {
        let fields = block.iter().copied().skip(column).step_by(COLUMNS);
        let array: ArrayRef = match column {
            0..3 => Arc::new(integers::<Int64Type>(fields)),
            3 => Arc::new(integers::<Int32Type>(fields)),
            4..8 => Arc::new(decimals(fields)),
            10..13 => Arc::new(dates(fields)),
            _ => Arc::new(StringViewArray::from_iter_values(fields)),
        };
        (*name, array)
    };
    RecordBatch::try_from_iter(NAMES.iter().enumerate().map(column)).expect("all columns have a field of each row")
}

fn integers<'a, T: ArrowPrimitiveType<Native: FromStr<Err: Debug>>>(
    fields: impl Iterator<Item = &'a str>,
) -> PrimitiveArray<T> {
    PrimitiveArray::from_iter_values(fields.map(|field| field.parse().expect("an integer column")))
}

fn decimals<'a>(fields: impl Iterator<Item = &'a str>) -> Decimal128Array {
    let unscaled = fields.map(|field| {
        let (whole, cents) = field.split_once('.').unwrap_or((field, "00"));
        format!("{whole}{cents:0<2}").parse::<i128>().expect("a decimal column")
    });
    Decimal128Array::from_iter_values(unscaled).with_precision_and_scale(15, 2).expect("a precision of up to 38")
}

fn dates<'a>(fields: impl Iterator<Item = &'a str>) -> Date32Array {
    Date32Array::from_iter_values(
        fields.map(|field| field.parse::<NaiveDate>().expect("a date column").to_epoch_days()),
    )
}
