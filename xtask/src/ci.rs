//! `cargo xtask ci`: the one gate. Each step is a function; the quick ones come first, so that a failure shows early.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::packages::{self, Purpose};
use crate::process::{built, cargo, command, output, run as exec, succeeds};
use crate::{generated, node, python, tidy};

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Result<()>,
}

const STEPS: [Step; 22] = [
    Step { name: "packages", what: "system packages", run: || packages::ensure(Purpose::Tests) },
    Step { name: "tidy", what: "lengths, names, opening comments, nothing outside the repository", run: tidy::run },
    Step { name: "fmt", what: "formatting", run: fmt },
    Step { name: "npm", what: "node packages of the console, its tests, the real agents and servers", run: npm },
    Step { name: "pip", what: "real MCP servers from PyPI, into target/mcp-servers", run: python::install },
    Step { name: "ui-build", what: "the console", run: || node::script("build") },
    Step { name: "ui-lint", what: "lint of the console", run: || node::script("lint") },
    Step { name: "ui-types", what: "types of the console", run: || node::script("check") },
    Step { name: "ui-unit", what: "unit tests of the console", run: || node::script("test") },
    Step { name: "knip", what: "unused code of the console", run: || node::script("knip") },
    Step { name: "browser", what: "every screen and state of the console in a browser", run: browser },
    Step { name: "build", what: "every program and test, with all lints", run: build },
    Step { name: "clippy", what: "no lint of any crate or test had anything to say", run: clippy },
    Step { name: "tests", what: "unit, golden, policy, journey, tamper, crash and layer tests", run: tests },
    Step {
        name: "bindings",
        what: "the contract as TypeScript is current",
        run: || generated::check(&generated::BINDINGS),
    },
    Step {
        name: "schema",
        what: "the schemas of the policy files agree with the code",
        run: || generated::check(&generated::SCHEMAS),
    },
    Step {
        name: "fixtures",
        what: "what the console is tested on is what the engine says",
        run: || generated::check(&generated::FIXTURES),
    },
    Step { name: "databases", what: "SQLite and PostgreSQL behind real MCP servers, governed", run: databases },
    Step { name: "fuzz", what: "every parser, 20 s each", run: fuzz },
    Step { name: "agents", what: "the real agents, governed", run: agents },
    Step { name: "conformance", what: "the MCP conformance suite, alone and through the gateway", run: conformance },
    Step { name: "desktop", what: "the real app under a virtual display", run: desktop },
];

/// The same packages and features each time: with any other set, cargo resolves the shared crates anew and compiles them
/// twice.
const WHOLE: [&str; 4] = ["--workspace", "--locked", "--features", "reeve-api/ts"];

/// Says that the gate built here: who builds less, builds with other features, and so everything again.
pub const BUILT_WHOLE: &str = "target/debug/.reeve-whole";

/// Test programs that need more than a compiler; each has a step of its own.
const RINGS: [&str; 3] = ["agents", "conformance", "desktop"];

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    only: Vec<String>,
    skip: Vec<String>,
    keep_going: bool,
    list: bool,
}

pub fn run(arguments: &[String]) -> Result<()> {
    let options = parse(arguments)?;
    if options.list {
        for step in &STEPS {
            println!("{:10} {}", step.name, step.what);
        }
        return Ok(());
    }
    let begun = Instant::now();
    let mut done: Vec<(&Step, Duration, Option<anyhow::Error>)> = Vec::new();
    for step in STEPS.iter().filter(|step| options.wants(step.name)) {
        println!("\n==> {}: {}", step.name, step.what);
        let started = Instant::now();
        let failed = (step.run)().err();
        let took = started.elapsed();
        println!("<== {} {} after {}", step.name, if failed.is_none() { "ok" } else { "FAILED" }, shown(took));
        let stop = failed.is_some() && !options.keep_going;
        done.push((step, took, failed));
        if stop {
            break;
        }
    }
    summary(&done, begun.elapsed())
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let list = match word.as_str() {
            "--only" => &mut options.only,
            "--skip" => &mut options.skip,
            "--keep-going" => {
                options.keep_going = true;
                continue;
            }
            "--list" => {
                options.list = true;
                continue;
            }
            other => bail!("`ci` does not know `{other}`; it takes --only, --skip, --keep-going and --list"),
        };
        match words.next() {
            Some(name) if STEPS.iter().any(|step| step.name == name) => list.push(name.clone()),
            Some(name) => bail!("there is no step `{name}`; `cargo xtask ci --list` names them"),
            None => bail!("`{word}` needs the name of a step"),
        }
    }
    Ok(options)
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|one| one == name);
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }
}

fn summary(done: &[(&Step, Duration, Option<anyhow::Error>)], total: Duration) -> Result<()> {
    println!("\n{:10} {:>8}", "step", "time");
    for (step, took, failed) in done {
        println!("{:10} {:>8}  {}", step.name, shown(*took), if failed.is_none() { "ok" } else { "FAILED" });
    }
    println!("{:10} {:>8}", "total", shown(total));
    let failed: Vec<_> = done.iter().filter_map(|(step, _, failed)| Some((step.name, failed.as_ref()?))).collect();
    let Some((first, error)) = failed.first() else {
        println!("\nall {} steps passed", done.len());
        return Ok(());
    };
    let names: Vec<_> = failed.iter().map(|(name, _)| *name).collect();
    bail!("failed: {}\n{first}: {error:#}\nagain, alone: cargo xtask ci --only {first}", names.join(", "));
}

fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds >= 60 {
        format!("{}:{:02} m", seconds / 60, seconds % 60)
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

fn fmt() -> Result<()> {
    exec(&mut cargo(&["fmt", "--all", "--check"]))
}

fn npm() -> Result<()> {
    node::check_version()?;
    ["ui", "tests/ui", "tests/agents", "tests/servers", "tests/conformance"].into_iter().try_for_each(node::install)
}

/// The programs that tests and people start, and the tests themselves: without them, cargo would resolve features without
/// what tests need, and compile everything again for the next step.
fn build() -> Result<()> {
    build_whole()?;
    std::fs::write(BUILT_WHOLE, "").with_context(|| format!("`{BUILT_WHOLE}` cannot be written"))
}

/// Everything, as the gate builds it.
pub fn build_whole() -> Result<()> {
    exec(&mut whole(&["build", "--all-targets"]))
}

/// Cargo with clippy as the compiler of our own crates: it builds and lints in one go, where `cargo clippy` would go through
/// every crate, ours and others', a second time. Programs of another compiler are other programs: all steps use this one.
pub fn whole(arguments: &[&str]) -> Command {
    let mut cargo = cargo(arguments);
    // In front of what may follow `--`.
    cargo.args(WHOLE).env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    cargo
}

/// What the build was told: cargo says it again for what is built already.
fn clippy() -> Result<()> {
    let told = output(&mut whole(&["build", "--all-targets", "--message-format", "json"]))?;
    let warnings = told.lines().filter(|line| is_warning(line)).count();
    if warnings > 0 {
        build_whole()?;
        bail!("{warnings} warnings; each is an error here");
    }
    Ok(())
}

fn is_warning(line: &str) -> bool {
    line.starts_with(r#"{"reason":"compiler-message""#) && line.contains(r#""level":"warning""#)
}

/// Tests that need real database servers; where those are not installed, they say so and leave it at that.
const DATABASES: &str = "databases::";

/// Everything but the rings.
fn tests() -> Result<()> {
    if has_nextest() {
        let rings = format!("package(reeve-tests) and binary(/^({})$/)", RINGS.join("|"));
        let filter = format!("not ({rings}) and not (package(reeve-mcp) and test(/^{DATABASES}/))");
        return exec(&mut nextest(&filter));
    }
    // Nothing else keeps those that measure load or time apart from the others.
    let alone = ["--", "--test-threads", "1", "--skip", DATABASES];
    exec(whole(&["test"]).args(["--exclude", "reeve-tests"]).args(alone))?;
    exec(whole(&["test"]).args(["--test", "it"]).args(alone))
}

/// The tests of one package whose names hold a word.
pub fn some_tests(package: &str, word: &str) -> Command {
    if has_nextest() {
        return nextest(&format!("package(={package}) and test({word})"));
    }
    let mut run = whole(&["test"]);
    run.args(["--lib", "--", word]);
    run
}

fn nextest(filter: &str) -> Command {
    let mut run = whole(&["nextest", "run", "--profile", "ci"]);
    run.args(["-E", filter]);
    run
}

fn has_nextest() -> bool {
    succeeds(&mut cargo(&["nextest", "--version"]))
}

/// Two for each processor: agents that are held, and those that read a slow stream, wait more than they compute. No more
/// than eight: each takes some hundred megabytes.
fn agents() -> Result<()> {
    python::install()?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    ring("agents", (2 * processors).min(8), &[])
}

/// The suite, and a server that speaks all of MCP, both on the Node that the suite needs.
fn conformance() -> Result<()> {
    node::install("tests/conformance")?;
    ring("conformance", 2, &[])
}

/// One of the test programs of `reeve-tests` that start whole agents and apps, so many at a time, under `wrapper` when
/// there is one.
fn ring(name: &str, threads: usize, wrapper: &[&str]) -> Result<()> {
    let threads = threads.to_string();
    let tests = if has_nextest() {
        let mut tests = nextest(&format!("package(reeve-tests) and binary(={name})"));
        tests.args(["--test-threads", &threads]);
        tests
    } else {
        let mut plain = whole(&["test"]);
        plain.args(["--test", name, "--", "--test-threads", &threads]);
        plain
    };
    let Some((program, arguments)) = wrapper.split_first() else {
        return exec(&mut { tests });
    };
    let own = tests.get_envs().filter_map(|(name, value)| Some((name, value?)));
    exec(command(program, arguments).arg(tests.get_program()).args(tests.get_args()).envs(own))
}

/// Here they must run: what they need was installed by the steps before.
fn databases() -> Result<()> {
    node::install("tests/servers")?;
    python::install()?;
    let mut tests = if has_nextest() {
        nextest(&format!("package(reeve-mcp) and test(/^{DATABASES}/)"))
    } else {
        let mut plain = whole(&["test"]);
        plain.args(["--test", "mcp", "--", DATABASES]);
        plain
    };
    exec(tests.env("REEVE_DATABASES", "required"))
}

/// Eight parsers, two at a time. The program was built before, so nothing is compiled here.
fn fuzz() -> Result<()> {
    exec(&mut built("reeve-fuzz", &["--seconds", "20"]))
}

fn desktop() -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("the desktop tests need WebKitWebDriver and a virtual display; they run on Linux only");
        return Ok(());
    }
    // A bus of its own around all of them, so that no test can ever meet the one of the person who runs this.
    let wrapper = [
        "xvfb-run",
        "--auto-servernum",
        "--server-args=-screen 0 1280x900x24",
        "dbus-run-session",
        "--",
        "sh",
        "-c",
        "openbox 2>/dev/null & wm=$!; \"$@\"; rc=$?; kill $wm; exit $rc",
        "sh",
    ];
    ring("desktop", 1, &wrapper)
}

fn browser() -> Result<()> {
    in_browser("test")
}

/// A picture of every screen in both themes, from a fresh build of the console.
pub fn pictures() -> Result<()> {
    packages::ensure(Purpose::Tests)?;
    ["ui", "tests/ui"].into_iter().try_for_each(node::install)?;
    node::script("build")?;
    in_browser("shots")?;
    // The two that the README opens with.
    for (drawn, shown) in [("inbox-light", "inbox"), ("timeline-dark", "timeline")] {
        let (from, to) = (format!("artifacts/ui/{drawn}.png"), format!("docs/pictures/{shown}.png"));
        std::fs::copy(&from, &to).with_context(|| format!("`{from}` cannot be put into `{to}`"))?;
    }
    println!("\nthe pictures are in artifacts/ui, and the two of the README in docs/pictures");
    Ok(())
}

fn in_browser(script: &str) -> Result<()> {
    let Some(found) = packages::browser() else {
        bail!("no Chromium was found; install one and run it again");
    };
    exec(command("npm", &["run", script, "--prefix", "tests/ui"]).env("REEVE_BROWSER", found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn steps_are_chosen_and_left_out_by_name() {
        let options = parse(&words("--only fmt --only tidy --skip tidy")).unwrap();
        let chosen: Vec<_> = STEPS.iter().filter(|step| options.wants(step.name)).map(|step| step.name).collect();
        assert_eq!(chosen, ["fmt"]);
        assert_eq!(STEPS.iter().filter(|step| Options::default().wants(step.name)).count(), STEPS.len());
    }

    #[test]
    fn a_step_that_does_not_exist_is_refused() {
        for wrong in ["--only nothing", "--only", "--skip x", "--fast"] {
            assert!(parse(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_summary_names_the_step_that_failed() {
        let done = [
            (&STEPS[0], Duration::from_secs(1), None),
            (&STEPS[1], Duration::from_secs(61), Some(anyhow::anyhow!("three findings"))),
        ];
        let said = summary(&done, Duration::from_secs(62)).unwrap_err().to_string();
        assert!(said.contains("tidy: three findings") && said.contains("--only tidy"), "{said}");
        assert!(summary(&done[..1], Duration::from_secs(1)).is_ok());
    }
}
