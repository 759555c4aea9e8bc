//! COPY FROM in the binary format.

use pglite_error::{PgResult, bail, err};
use pglite_types::{Datum, binary};

use super::end::End;
use super::load::Load;

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// Flags from bit 16 on are critical; this one says that rows carry OIDs.
const HAS_OIDS: u32 = 1 << 16;

enum Step {
    /// The input ends inside it.
    Incomplete,
    /// The trailer.
    End,
    /// Bytes used.
    Used(usize),
}

impl Load<'_> {
    pub fn run_binary(&mut self, source: &End<'_>) -> PgResult<()> {
        let mut data = Vec::new();
        let (mut pos, mut line) = (0, 0u64);
        let (mut eof, mut started) = (false, false);
        // Why a loop over what is at hand: rows straddle chunks; an incomplete one waits for more input.
        loop {
            loop {
                let step = match started {
                    false => header(&data[pos..], eof)?,
                    true => self.binary_row(&data[pos..], line + 1)?,
                };
                match step {
                    Step::Incomplete => break,
                    Step::End => return self.after_trailer(&data[pos + 2..], source),
                    Step::Used(n) => {
                        pos += n;
                        line += u64::from(started);
                        started = true;
                    }
                }
            }
            if eof {
                // PG: an end without the trailer is taken between rows only.
                if started && pos == data.len() {
                    return Ok(());
                }
                return Err(self.at_line(
                    err!(BAD_COPY_FILE_FORMAT, "unexpected EOF in COPY data"),
                    line + 1,
                    None,
                ));
            }
            data.drain(..pos);
            pos = 0;
            match source.read()? {
                Some(c) => data.extend_from_slice(&c),
                None => eof = true,
            }
            self.exec.host.check_interrupts()?;
        }
    }

    fn after_trailer(&self, rest: &[u8], source: &End<'_>) -> PgResult<()> {
        let mut extra = !rest.is_empty();
        while let Some(chunk) = source.read()? {
            extra |= !chunk.is_empty();
        }
        if extra {
            bail!(BAD_COPY_FILE_FORMAT, "received copy data after EOF marker");
        }
        Ok(())
    }

    fn binary_row(&mut self, data: &[u8], line: u64) -> PgResult<Step> {
        let Some(count) = data.first_chunk::<2>() else { return Ok(Step::Incomplete) };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            return Ok(Step::End);
        }
        if usize::try_from(count) != Ok(self.columns.len()) {
            let want = self.columns.len();
            let e = err!(BAD_COPY_FILE_FORMAT, "row field count is {count}, expected {want}");
            return Err(self.at_line(e, line, None));
        }
        // First see that the row is whole: nothing is evaluated twice.
        let mut pos = 2;
        for _ in 0..count {
            let Some(len) = data.get(pos..).and_then(|b| b.first_chunk::<4>()) else {
                return Ok(Step::Incomplete);
            };
            let len = i32::from_be_bytes(*len);
            if len < -1 {
                let e = err!(BAD_COPY_FILE_FORMAT, "invalid field size");
                return Err(self.at_line(e, line, None));
            }
            pos += 4 + len.max(0) as usize;
            if pos > data.len() {
                return Ok(Step::Incomplete);
            }
        }
        let start = self.open_row();
        let mut at = 2;
        for n in 0..self.columns.len() {
            let column = &self.columns[n];
            let len = data[at..].first_chunk::<4>().map_or(-1, |b| i32::from_be_bytes(*b));
            at += 4;
            let value = if len < 0 {
                if column.domain {
                    let checked = self.exec.host.check_domain(column.type_oid, &Datum::Null);
                    checked.map_err(|e| self.at_column(e, line, n))?;
                }
                Datum::Null
            } else {
                let bytes = &data[at..at + len as usize];
                at += len as usize;
                binary::binary_recv(self.exec.host, column.type_oid, column.typmod, bytes)
                    .map_err(|e| self.at_column(e, line, n))?
            };
            self.batch.values_mut()[start + self.columns[n].at] = value;
        }
        self.close_row(start, line, None)?;
        Ok(Step::Used(pos))
    }
}

fn header(data: &[u8], eof: bool) -> PgResult<Step> {
    let known = data.len().min(SIGNATURE.len());
    if data[..known] != SIGNATURE[..known] || (eof && known < SIGNATURE.len()) {
        bail!(BAD_COPY_FILE_FORMAT, "COPY file signature not recognized");
    }
    let word = |at: usize| data.get(at..).and_then(|b| b.first_chunk::<4>()).map(|b| u32::from_be_bytes(*b));
    let Some(flags) = word(11) else {
        if eof {
            bail!(BAD_COPY_FILE_FORMAT, "invalid COPY file header (missing flags)");
        }
        return Ok(Step::Incomplete);
    };
    if flags & HAS_OIDS != 0 {
        bail!(BAD_COPY_FILE_FORMAT, "invalid COPY file header (WITH OIDS)");
    }
    if (flags & !HAS_OIDS) >> 16 != 0 {
        bail!(BAD_COPY_FILE_FORMAT, "unrecognized critical flags in COPY file header");
    }
    let Some(extra) = word(15) else {
        if eof {
            bail!(BAD_COPY_FILE_FORMAT, "invalid COPY file header (missing length)");
        }
        return Ok(Step::Incomplete);
    };
    if extra > i32::MAX as u32 {
        bail!(BAD_COPY_FILE_FORMAT, "invalid COPY file header (missing length)");
    }
    let len = 19 + extra as usize;
    if data.len() < len {
        if eof {
            bail!(BAD_COPY_FILE_FORMAT, "invalid COPY file header (wrong length)");
        }
        return Ok(Step::Incomplete);
    }
    Ok(Step::Used(len))
}
