//! Mapping what psql printed back to the input lines it echoed.

use std::collections::HashMap;

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
    use super::*;

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
