//! Reading the log back at the start.
//!
//! The log is good up to the first frame that is missing, torn or breaks the chain, at place P. What a frame after P
//! says decides what P is. If some sound frame or segment says that the log had been durable beyond P, then P was
//! durable once and is damaged now: the start stops with an error, for acknowledged commits would be missing. If none
//! says so, P is the torn tail of writes that were never acknowledged, and the log ends there.

use super::{HEADER, KIND_CLOSE, KIND_DATA, KIND_END, Wal, lsn, parse_header, parse_name, segment_name};
use crate::batch::WriteBatch;
use crate::env::{Env, OpenMode, io_error, read_exact};
use crate::manifest::Edit;
use pglite_codec::frame;
use pglite_error::{PgError, PgResult, codes};
use std::collections::VecDeque;
use std::path::Path;

/// Gets a commit read back: its batch, the tables it ingests, its timestamp.
pub(crate) type Apply<'a> = &'a mut dyn FnMut(WriteBatch, Edit, u64) -> PgResult<()>;

/// Replays the log from segment `floor` on: `apply` gets every commit newer than `flushed`, in order. Answers the log,
/// ready for appending, and the newest timestamp seen.
pub(crate) fn recover(
    env: &Env,
    dir: &Path,
    segment_size: usize,
    floor: u64,
    flushed: u64,
    apply: Apply<'_>,
) -> PgResult<(Wal, u64)> {
    let mut numbers = Vec::new();
    for name in env.vfs.list(dir).map_err(|e| io_error("list", dir, &e))? {
        match parse_name(&name) {
            Some(number) if number >= floor => numbers.push(number),
            Some(number) => remove(env, dir, number)?,
            None => {}
        }
    }
    numbers.sort_unstable();
    if numbers.first() != Some(&floor) {
        return Err(PgError::new(
            codes::DATA_CORRUPTED,
            format!("write-ahead log segment \"{}\" is missing", dir.join(segment_name(floor)).display()),
        ));
    }
    let mut reader = Reader { chain: None, newest: 0, flushed, finished: VecDeque::new(), apply };
    let mut number = floor;
    let (tail_segment, tail) = loop {
        let Some(data) = read_segment(env, dir, number)? else { break (number, None) };
        match reader.segment(number, &data)? {
            Outcome::Ended => number += 1,
            Outcome::Tail(0) if number == floor => {
                return Err(damaged("the first segment has a broken header"));
            }
            Outcome::Tail(0) => break (number, None),
            Outcome::Tail(offset) => break (number, Some((offset, data))),
        }
    };
    check_for_hole(env, dir, &numbers, tail_segment, &tail)?;
    // What follows the tail was never acknowledged. It goes before the tail is sealed, so that a crash in between
    // finds the same tail.
    for &number in numbers.iter().filter(|&&n| n > tail_segment || (n == tail_segment && tail.is_none())) {
        remove(env, dir, number)?;
    }
    env.vfs.sync_dir(dir).map_err(|e| io_error("fsync", dir, &e))?;
    let (mut chain, mut next) = (reader.chain.unwrap_or(0), tail_segment);
    if let Some((offset, _)) = tail {
        chain = seal(env, dir, tail_segment, offset, chain)?;
        reader.finished.push_back((tail_segment, reader.newest));
        next += 1;
    }
    let (newest, finished) = (reader.newest, reader.finished);
    Ok((Wal::create(env, dir, segment_size, next, chain, finished)?, newest))
}

enum Outcome {
    /// The segment is whole; the log goes on in the next one.
    Ended,
    /// The log ends at this offset (0: the segment never came to be).
    Tail(usize),
}

struct Reader<'a> {
    chain: Option<u32>,
    newest: u64,
    flushed: u64,
    finished: VecDeque<(u64, u64)>,
    apply: Apply<'a>,
}

impl Reader<'_> {
    fn segment(&mut self, number: u64, data: &[u8]) -> PgResult<Outcome> {
        let Some(header) = parse_header(data, number) else { return Ok(Outcome::Tail(0)) };
        let mut chain = *self.chain.get_or_insert(header.chain);
        if header.chain != chain {
            return Ok(Outcome::Tail(0));
        }
        let mut at = HEADER;
        loop {
            let frame = data.get(at..).and_then(|rest| frame::read(rest, lsn(number, at)));
            let Some((head, payload)) = frame.filter(|(head, _)| head.prev == chain) else {
                self.chain = Some(chain);
                return Ok(Outcome::Tail(at));
            };
            chain = head.crc;
            at += frame::frame_len(payload.len());
            match head.kind {
                KIND_DATA => self.group(payload)?,
                KIND_END => {
                    self.chain = Some(chain);
                    self.finished.push_back((number, self.newest));
                    return Ok(Outcome::Ended);
                }
                KIND_CLOSE => {}
                kind => return Err(damaged(&format!("unknown frame kind {kind} in segment {number:016x}"))),
            }
        }
    }

    fn group(&mut self, payload: &[u8]) -> PgResult<()> {
        let mut rest = payload;
        while let Some((head, tail)) = rest.split_first_chunk::<16>() {
            let ts =
                u64::from_le_bytes([head[0], head[1], head[2], head[3], head[4], head[5], head[6], head[7]]);
            let len = u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
            let tables = u32::from_le_bytes([head[12], head[13], head[14], head[15]]) as usize;
            let Some((batch, next)) = tail.split_at_checked(len) else {
                return Err(damaged("a commit overruns its group"));
            };
            if ts <= self.newest {
                return Err(damaged("timestamps are out of order"));
            }
            self.newest = ts;
            if ts > self.flushed {
                let Some((edit, batch)) = batch.split_at_checked(tables) else {
                    return Err(damaged("a commit has a broken table list"));
                };
                let edit = Edit::decode(edit).ok_or_else(|| damaged("a commit has a broken table list"))?;
                (self.apply)(WriteBatch::decode(batch)?, edit, ts)?;
            }
            rest = next;
        }
        if rest.is_empty() { Ok(()) } else { Err(damaged("a group has a broken end")) }
    }
}

type Tail = Option<(usize, Vec<u8>)>;

/// Looks for anything after the tail that says the log was durable beyond it.
fn check_for_hole(env: &Env, dir: &Path, numbers: &[u64], segment: u64, tail: &Tail) -> PgResult<()> {
    let place = lsn(segment, tail.as_ref().map_or(0, |(offset, _)| *offset));
    if let Some((offset, data)) = tail {
        scan_frames(data, segment, *offset, place)?;
    }
    for &number in numbers.iter().filter(|&&n| n > segment || (n == segment && tail.is_none())) {
        let Some(data) = read_segment(env, dir, number)? else { continue };
        if parse_header(&data, number).is_some_and(|header| header.durable > place) {
            return Err(hole(place));
        }
        scan_frames(&data, number, HEADER, place)?;
    }
    Ok(())
}

fn scan_frames(data: &[u8], number: u64, from: usize, place: u64) -> PgResult<()> {
    for at in (from..data.len()).step_by(frame::ALIGN) {
        let Some(head) = frame::peek(&data[at..]) else { break };
        let position = lsn(number, at);
        if head.position == position && head.durable > place && frame::read(&data[at..], position).is_some() {
            return Err(hole(place));
        }
    }
    Ok(())
}

fn hole(place: u64) -> PgError {
    damaged(&format!(
        "invalid record at {:X}/{:08X} is followed by valid ones that were written after it was durable",
        place >> 32,
        place & 0xffff_ffff
    ))
    .hint("Acknowledged commits would be missing. Restore the data directory from a backup.")
}

fn damaged(what: &str) -> PgError {
    PgError::new(codes::DATA_CORRUPTED, format!("the write-ahead log is damaged: {what}"))
}

/// Writes an end frame at the tail; answers its checksum.
fn seal(env: &Env, dir: &Path, number: u64, offset: usize, chain: u32) -> PgResult<u32> {
    let path = dir.join(segment_name(number));
    let file = env.vfs.open(&path, OpenMode::Write).map_err(|e| io_error("open", &path, &e))?;
    let mut buf = Vec::new();
    let start = frame::begin(&mut buf);
    let place = lsn(number, offset);
    let crc = frame::finish(&mut buf, start, KIND_END, chain, place, place);
    file.write_at(&buf, offset as u64)
        .and_then(|()| file.sync())
        .map_err(|e| io_error("write", &path, &e))?;
    Ok(crc)
}

fn read_segment(env: &Env, dir: &Path, number: u64) -> PgResult<Option<Vec<u8>>> {
    let path = dir.join(segment_name(number));
    let file = match env.vfs.open(&path, OpenMode::Read) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io_error("open", &path, &e)),
    };
    let mut data = vec![0; file.len().map_err(|e| io_error("stat", &path, &e))? as usize];
    read_exact(&*file, &mut data, 0).map_err(|e| io_error("read", &path, &e))?;
    Ok(Some(data))
}

fn remove(env: &Env, dir: &Path, number: u64) -> PgResult<()> {
    let path = dir.join(segment_name(number));
    env.vfs.remove(&path).map_err(|e| io_error("remove", &path, &e))
}
