//! The score of one file: what psql printed, mapped back to the input lines it echoed, against the expected files.

use std::collections::HashMap;

use super::split::Split;

/// A statement whose printed result differs from the expected one.
pub struct Miss {
    /// Index into the statements of the file.
    pub unit: usize,
    /// None: psql never echoed the line in that output.
    pub expected: Option<Vec<u8>>,
    pub got: Option<Vec<u8>>,
}

pub struct Score {
    pub units: usize,
    pub ok: usize,
    /// The whole output equals an expected file.
    pub exact: bool,
    /// Statements that psql came to at all.
    pub reached: usize,
    /// Against the expected file that fits best.
    pub misses: Vec<Miss>,
}

/// Scores an output against the alternatives of a file's expected output.
pub fn score(split: &Split, got: &[u8], expected: &[Vec<u8>]) -> Score {
    let printed = chunks(&split.echoed, got);
    let reached = split.units.iter().filter(|u| printed[u.line].is_some()).count();
    let mut best: Option<Vec<Miss>> = None;
    let mut exact = false;
    for alternative in expected {
        let wanted = chunks(&split.echoed, alternative);
        exact |= alternative == got;
        let differs = |line: usize| printed[line].is_none() || printed[line] != wanted[line];
        let misses: Vec<Miss> = split
            .units
            .iter()
            .enumerate()
            .filter(|(_, u)| differs(u.line))
            .map(|(unit, u)| Miss { unit, expected: wanted[u.line].clone(), got: printed[u.line].clone() })
            .collect();
        if best.as_ref().is_none_or(|b| misses.len() < b.len()) {
            best = Some(misses);
        }
    }
    let units = split.units.len();
    let misses = best.unwrap_or_default();
    let ok = if expected.is_empty() { 0 } else { units - misses.len() };
    Score { units, ok, exact, reached, misses }
}

/// Line ends as one byte: CR LF and CR become LF, as the reference scorer reads its files.
pub fn text(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (i, b) in bytes.iter().enumerate() {
        match b {
            b'\r' if bytes.get(i + 1) == Some(&b'\n') => {}
            b'\r' => out.push(b'\n'),
            b => out.push(*b),
        }
    }
    out
}

/// The positive control: with one byte of one expected result changed, the same output must score exactly one
/// statement less and no longer be equal. Err says what went unnoticed.
pub fn control(split: &Split, got: &[u8]) -> Result<(), String> {
    let clean = score(split, got, &[got.to_vec()]);
    if !clean.exact {
        return Err("an output does not equal itself".into());
    }
    let printed = chunks(&split.echoed, got);
    let place = printed.iter().enumerate().find_map(|(line, chunk)| {
        let alone = split.units.iter().filter(|u| u.line == line).count() == 1;
        let chunk = chunk.as_ref()?;
        (alone && chunk.len() > 1).then(|| (line, chunk.clone()))
    });
    let (line, chunk) = place.ok_or("no statement that prints")?;
    let mut seeded: Vec<u8> = Vec::new();
    for (i, echo) in split.echoed.iter().enumerate() {
        let Some(result) = &printed[i] else { continue };
        if !seeded.is_empty() || i > 0 {
            seeded.push(b'\n');
        }
        seeded.extend_from_slice(echo);
        let mut result = result.clone();
        if i == line {
            let at = chunk.iter().position(|b| *b != b'\n').unwrap_or(0);
            result[at] ^= 1;
        }
        if !result.is_empty() {
            seeded.push(b'\n');
            seeded.extend_from_slice(&result);
        }
    }
    let caught = score(split, got, &[seeded]);
    if caught.exact || caught.ok + 1 != clean.ok {
        return Err(format!("a wrong expected line went unnoticed: {} of {}", caught.ok, clean.ok));
    }
    Ok(())
}

/// For each echoed input line, the bytes printed after it up to the next echoed line; None when it was not echoed.
pub fn chunks(echoed: &[Vec<u8>], out: &[u8]) -> Vec<Option<Vec<u8>>> {
    let lines: Vec<&[u8]> = out.split(|b| *b == b'\n').collect();
    let mut places: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (n, line) in lines.iter().enumerate() {
        places.entry(line).or_default().push(n);
    }
    let mut result = vec![None; echoed.len()];
    let mut at = 0;
    let mut last: Option<(usize, usize)> = None;
    for (i, line) in echoed.iter().enumerate() {
        let Some(found) = places.get(line.as_slice()).and_then(|p| p.get(p.partition_point(|n| *n < at)))
        else {
            continue;
        };
        if let Some((index, start)) = last {
            result[index] = Some(lines[start..*found].join(&b'\n'));
        }
        last = Some((i, found + 1));
        at = found + 1;
    }
    if let Some((index, start)) = last {
        result[index] = Some(lines[start.min(lines.len())..].join(&b'\n'));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::split::split;
    use super::*;

    const SCRIPT: &[u8] = b"select 1;\nselect 2; select 3;\n";
    const OUTPUT: &[u8] = b"select 1;\n 1\nselect 2; select 3;\n 2\n 3\n";

    #[test]
    fn a_wrong_line_costs_the_statements_on_it() {
        let s = split(SCRIPT);
        let full = score(&s, OUTPUT, &[OUTPUT.to_vec()]);
        assert_eq!((full.units, full.ok, full.exact, full.reached), (3, 3, true, 3));
        let wrong = OUTPUT.iter().map(|b| if *b == b'3' { b'4' } else { *b }).collect::<Vec<u8>>();
        let one = score(&s, OUTPUT, std::slice::from_ref(&wrong));
        assert!(one.ok < 3 && !one.exact);
        assert_eq!(score(&s, OUTPUT, &[wrong, OUTPUT.to_vec()]).ok, 3, "the best alternative counts");
        assert_eq!(score(&s, b"select 1;\n 1\n", &[OUTPUT.to_vec()]).reached, 1);
    }

    #[test]
    fn the_control_is_caught() {
        assert_eq!(control(&split(SCRIPT), OUTPUT), Ok(()));
        assert!(control(&split(b"select 1;\n"), b"select 1;\n").is_err(), "nothing to seed is no control");
    }

    #[test]
    fn line_ends_are_one_byte() {
        assert_eq!(text(b"a\r\nb\rc\n"), b"a\nb\nc\n");
    }

    #[test]
    fn output_belongs_to_the_line_before_it() {
        let echoed = vec![b"select 1;".to_vec(), b"select 2;".to_vec()];
        let got = chunks(&echoed, b"select 1;\none\nselect 2;\ntwo\n");
        assert_eq!(got, vec![Some(b"one".to_vec()), Some(b"two\n".to_vec())]);
    }

    #[test]
    fn a_line_that_was_not_echoed_counts_as_missing() {
        let echoed = vec![b"a;".to_vec(), b"b;".to_vec()];
        assert_eq!(chunks(&echoed, b"a;\nx"), vec![Some(b"x".to_vec()), None]);
    }
}
