//! The laws of a layer: any cut of the input gives the same bytes, only `finish` completes the output, and what comes out
//! is what public tools read.

use consign::layer::Layer;

#[cfg(feature = "openpgp")]
mod encrypt;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "openpgp")]
mod recipient;

/// Runs the whole input through the layer, cut into pushes of these lengths in turn.
fn run(layer: &dyn Layer, input: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut state = layer.start().expect("the layer starts");
    let mut out = Vec::new();
    let mut rest = input;
    for &cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (head, tail) = rest.split_at(cut.clamp(1, rest.len()));
        state.push(head, &mut out).expect("the push works");
        rest = tail;
    }
    state.finish(&mut out).expect("the file ends");
    out
}

/// Text that looks like rows and does not repeat, of this length.
fn rows(len: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(len + 64);
    let mut n = 0_u64;
    while text.len() < len {
        n += 1;
        let word = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        text.extend_from_slice(format!("{n},{word:016x},\"Zürich, {}\"\n", word % 977).as_bytes());
    }
    text.truncate(len);
    text
}

/// A key file of `tests/data/keys`.
#[cfg(feature = "openpgp")]
#[track_caller]
fn key(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/keys/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}
