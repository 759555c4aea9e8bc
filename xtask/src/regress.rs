//! `cargo xtask regress`: PostgreSQL's own regression suite against our server, statement by statement.
//!
//! The score is the reference scorer's: a statement counts when what psql prints after it equals the expected file to
//! the byte. The server is ours, started here, asked who it is before anything is counted, and asked again after every
//! file whether it still answers. A file that matches less than recorded fails the command (`ratchet`).

mod rank;
mod ratchet;
mod report;
mod run;
mod score;
mod split;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::Result;
use crate::ours::{self, Data, Server};
use crate::shell::{self, Args};
use crate::suite;
use crate::wire::Client;
use ratchet::Figures;
use report::{Done, Total};
use run::{End, Limit, Psql};

const VALUES: &[&str] =
    &["files", "timeout", "dir", "port", "profile", "binary", "json", "html", "top", "out"];
const FLAGS: &[&str] = &["rank", "record", "lower", "rescore", "disk", "setup"];

/// The release whose suite the figures were recorded with; the next one changes some expected files.
const RECORDED_WITH: &str = "18.6";

pub fn run(args: &[String]) -> Result<()> {
    let args = Args::parse(args, VALUES, FLAGS)?;
    let started = Instant::now();
    let job = Job::new(&args)?;
    let outcome = job.once(&args)?;
    report_all(&args, &outcome, started.elapsed())?;
    let mut faults = outcome.faults;
    // Files that a crash kept from running have no figures to judge.
    if job.files.is_none() && !job.rescore && !outcome.crashed {
        judge(&args, &job, figures(&outcome.done), &mut faults)?;
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// What to run and against which server.
struct Job {
    psql: PathBuf,
    suite: PathBuf,
    out: PathBuf,
    binary: Option<PathBuf>,
    port: Option<u16>,
    files: Option<Vec<String>>,
    limit: Limit,
    rescore: bool,
}

struct Outcome {
    server: String,
    done: Vec<Done>,
    /// A crash, a server that does not answer, a control that was not caught.
    faults: Vec<String>,
    /// The run ended early.
    crashed: bool,
}

impl Job {
    fn new(args: &Args) -> Result<Job> {
        let out = args.value("out").map_or(shell::target_dir()?.join("regress"), PathBuf::from);
        for sub in ["results", "testtablespace"] {
            shell::make_dir(&out.join(sub))?;
        }
        let rescore = args.flag("rescore");
        let port = args.value("port").map(|_| args.number("port", 0)).transpose()?;
        let binary = match port {
            None if !rescore => Some(ours::binary(args, "ci")?),
            _ => None,
        };
        Ok(Job {
            psql: suite::program("psql")?,
            suite: suite::suite(args.value("dir"))?,
            out: out.canonicalize().map_err(|e| e.to_string())?,
            binary,
            port,
            files: args.list("files"),
            limit: Limit { seconds: args.number("timeout", 60.0)? },
            rescore,
        })
    }

    /// The files to run, in the suite's order.
    fn schedule(&self) -> Result<Vec<String>> {
        let text = shell::read(&self.suite.join("parallel_schedule"))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines = text.lines().filter_map(|l| l.strip_prefix("test:"));
        let all: Vec<String> = lines.flat_map(|l| l.split_whitespace().map(str::to_string)).collect();
        let Some(wanted) = &self.files else { return Ok(all) };
        if let Some(unknown) = wanted.iter().find(|w| !all.contains(w)) {
            return Err(format!("no file \"{unknown}\" in the suite's schedule"));
        }
        Ok(all.into_iter().filter(|t| wanted.contains(t)).collect())
    }

    /// One run over all files on a fresh server.
    fn once(&self, args: &Args) -> Result<Outcome> {
        if self.rescore {
            return self.rescored();
        }
        let data = self.out.join("data");
        let mut server = self.start(args.flag("disk"), &data)?;
        let port = server.as_ref().map(|s| s.port).or(self.port).ok_or("no port")?;
        let mut outcome =
            Outcome { server: ours::identify(port)?, done: Vec::new(), faults: Vec::new(), crashed: false };
        println!("server: {}", outcome.server);
        println!("suite: PostgreSQL {}", suite::version(&self.suite));
        let psql = Psql {
            program: self.psql.clone(),
            suite: self.suite.clone(),
            out: self.out.clone(),
            port,
            server: server.as_ref().map(Server::pid),
            limit: self.limit,
        };
        create_database(&psql)?;
        if args.flag("setup") {
            psql.run("test_setup", &self.suite.join("sql/test_setup.sql"))?;
        }
        let tests = self.schedule()?;
        for test in &tests {
            let start = Instant::now();
            let end = psql.run(test, &self.sql(test))?;
            outcome.show(self.score(test, end, start.elapsed())?);
            if let Some(fault) = self.check(&psql, server.as_mut()) {
                println!("{test}: {fault}; {} files not run", tests.len() - outcome.done.len());
                outcome.faults.push(format!("{test}: {fault}"));
                outcome.crashed = true;
                break;
            }
        }
        outcome.control(self)?;
        if let Some(s) = &server {
            outcome.panics(s);
        }
        if let Some(s) = &mut server
            && s.ended().is_none()
            && let Err(fault) = s.stop()
        {
            outcome.faults.push(fault);
        }
        Ok(outcome)
    }

    fn start(&self, on_disk: bool, data: &Path) -> Result<Option<Server>> {
        let Some(binary) = &self.binary else { return Ok(None) };
        let log = self.out.join("server.log");
        shell::write(&log, "")?;
        if data.exists() {
            std::fs::remove_dir_all(data).map_err(|e| format!("{}: {e}", data.display()))?;
        }
        let data = if on_disk { Data::Dir(data) } else { Data::Memory };
        Server::start(binary, data, ours::free_port()?, &log, &[]).map(Some)
    }

    /// After a file: is the server alive and does it answer?
    fn check(&self, psql: &Psql, server: Option<&mut Server>) -> Option<String> {
        if let Some(server) = server
            && let Some(status) = server.ended()
        {
            return Some(format!("the server crashed ({status}): {}", server.last_words()));
        }
        let mut failure = String::new();
        for _ in 0..2 {
            match Client::connect(psql.port, "postgres").and_then(|mut c| c.value("SELECT 1")) {
                Ok(_) => return None,
                Err(f) => failure = f.to_string(),
            }
        }
        Some(format!("the server does not answer any more: {failure}"))
    }

    /// Scores the outputs of an earlier run again.
    fn rescored(&self) -> Result<Outcome> {
        let server = "outputs of an earlier run".to_string();
        let mut outcome = Outcome { server, done: Vec::new(), faults: Vec::new(), crashed: false };
        for test in self.schedule()? {
            outcome.show(self.score(&test, End::Finished, Duration::ZERO)?);
        }
        outcome.control(self)?;
        Ok(outcome)
    }

    fn sql(&self, test: &str) -> PathBuf {
        self.suite.join("sql").join(format!("{test}.sql"))
    }

    fn printed(&self, test: &str) -> Result<Vec<u8>> {
        Ok(score::text(&shell::read(&self.out.join("results").join(format!("{test}.out")))?))
    }

    fn score(&self, test: &str, end: End, took: Duration) -> Result<Done> {
        let split = split::split(&score::text(&shell::read(&self.sql(test))?));
        let names = std::iter::once(format!("{test}.out")).chain((0..10).map(|k| format!("{test}_{k}.out")));
        let files = names.map(|n| self.suite.join("expected").join(n)).filter(|p| p.exists());
        let expected: Vec<Vec<u8>> =
            files.map(|p| shell::read(&p).map(|t| score::text(&t))).collect::<Result<_>>()?;
        let score = score::score(&split, &self.printed(test)?, &expected);
        Ok(Done { test: test.into(), score, split, end, seconds: took.as_secs_f64() })
    }
}

impl Outcome {
    fn show(&mut self, done: Done) {
        println!(
            "{} {:28} {:5}/{:5} {:6.1} s {}",
            if done.score.exact { "ok  " } else { "DIFF" },
            done.test,
            done.score.ok,
            done.score.units,
            done.seconds,
            match done.end {
                End::Finished => "",
                End::TimedOut => "TIMEOUT",
                End::Stuck => "STUCK",
            }
        );
        self.done.push(done);
    }

    /// A panic ends its session with an error, so it costs statements and the figures show it; the places are named.
    fn panics(&self, server: &Server) {
        let log = std::fs::read_to_string(&server.log).unwrap_or_default();
        let mut places: Vec<&str> =
            log.lines().filter_map(|l| l.split_once(" panicked at ").map(|p| p.1)).collect();
        let count = places.len();
        places.sort_unstable();
        places.dedup();
        if count > 0 {
            println!("{count} panics, at {}", places.join(" "));
        }
    }

    /// The scorer must notice one changed byte in the expected output of files that match.
    fn control(&mut self, job: &Job) -> Result<()> {
        let mut seeded = 0;
        for done in self.done.iter().filter(|d| d.score.exact) {
            match score::control(&done.split, &job.printed(&done.test)?) {
                Ok(()) => seeded += 1,
                Err(e) if e.starts_with("no statement") => {}
                Err(e) => self.faults.push(format!("{}: the scorer is wrong: {e}", done.test)),
            }
        }
        println!(
            "control: one wrong byte seeded in the expected output of {seeded} matching files, all noticed"
        );
        if seeded == 0 && job.files.is_none() {
            self.faults.push("no file matched to the byte: the scorer went without its control".into());
        }
        Ok(())
    }
}

/// As pg_regress makes it.
fn create_database(psql: &Psql) -> Result<()> {
    psql.statement("DROP DATABASE IF EXISTS regression")?;
    psql.statement("CREATE DATABASE regression TEMPLATE=template0 LOCALE='C'")?;
    for (name, value) in [
        ("lc_messages", "C"),
        ("lc_monetary", "C"),
        ("lc_numeric", "C"),
        ("lc_time", "C"),
        ("bytea_output", "hex"),
        ("timezone_abbreviations", "Default"),
    ] {
        psql.statement(&format!("ALTER DATABASE regression SET {name} TO '{value}'"))?;
    }
    Ok(())
}

fn figures(done: &[Done]) -> Figures {
    let figure = |d: &Done| (d.end == End::Finished).then_some(d.score.ok);
    done.iter().map(|d| (d.test.clone(), figure(d))).collect()
}

fn report_all(args: &Args, outcome: &Outcome, took: Duration) -> Result<()> {
    let mut rank = rank::Rank::default();
    for done in &outcome.done {
        rank.add_file(&done.test, &done.split, &done.score.misses);
    }
    let causes = rank.finish();
    if let Some(path) = args.value("json") {
        report::json(Path::new(path), &outcome.server, &outcome.done, &causes)?;
    }
    if let Some(dir) = args.value("html") {
        report::html(Path::new(dir), &outcome.server, &outcome.done, &causes)?;
    }
    if args.flag("rank") {
        println!("{:>10} {:>5}  what is missing (first seen)", "statements", "files");
        for c in causes.iter().take(args.number("top", 50)?) {
            println!("{:>10} {:>5}  {}   [{}]", c.statements, c.files.len(), c.text, c.example);
        }
    }
    println!("{}; {:.0} s", Total::of(&outcome.done), took.as_secs_f64());
    Ok(())
}

/// Holds the figures against the recorded ones.
///
/// Why a second run: a few statements of the suite depend on timing. A file counts as dropped when it drops twice.
fn judge(args: &Args, job: &Job, mut now: Figures, faults: &mut Vec<String>) -> Result<()> {
    let known = ratchet::recorded()?;
    let mut drops = ratchet::drops(&known, &now);
    if !drops.is_empty() && !args.flag("lower") {
        println!("fewer statements match than recorded; running again to see whether they drop twice:");
        drops.iter().for_each(|d| println!("  {d}"));
        let again = job.once(args)?;
        faults.extend(again.faults);
        if again.crashed {
            return Ok(());
        }
        now = ratchet::better(&now, &figures(&again.done));
        drops = ratchet::drops(&known, &now);
    }
    if args.flag("record") && (drops.is_empty() || args.flag("lower")) {
        let changed = ratchet::record(&now)?;
        println!("{}", if changed { "recorded" } else { "nothing to record" });
    } else if !drops.is_empty() {
        let version = suite::version(&job.suite);
        let note = if version == RECORDED_WITH {
            String::new()
        } else {
            format!(", of another release ({version})")
        };
        faults.push(format!("fewer statements match than recorded{note}:\n{}", drops.join("\n")));
    } else {
        let rise: usize = now
            .iter()
            .map(|(t, n)| n.unwrap_or(0).saturating_sub(known.get(t).copied().flatten().unwrap_or(0)))
            .sum();
        if rise > 0 {
            println!("{rise} statements more than recorded; `cargo xtask regress --record` keeps them");
        }
    }
    Ok(())
}
