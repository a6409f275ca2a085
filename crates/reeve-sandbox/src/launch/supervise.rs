//! Unix: one thread that hears signals and the child's changes of state, and acts on them. The child stays in our process
//! group, so job control, pipelines and prompts on the terminal work as without Reeve; only what a terminal did not send to
//! the whole group is passed on (twice ^C would mean something else to many agents). Run on Linux; not on macOS so far.

use std::io;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::termios::{self, SetArg, Termios};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::backend::Handle;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

use super::{Ended, tree};
use crate::SandboxError;

/// How often the tree is looked at while it is being ended; nothing is polled before that.
const LOOK: Duration = Duration::from_millis(20);
/// How long killed processes may take to disappear. One that is stuck in the kernel is left to the system.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// Signals that are passed on to the child. SIGCHLD is heard besides.
const PASSED_ON: [Signal; 9] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGTSTP,
    Signal::SIGCONT,
    Signal::SIGWINCH,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

enum Event {
    Signal(Signal, Cause),
    ChildChanged,
    Stop,
}

/// The other end of [`super::Stop`].
#[derive(Debug, Clone)]
pub(super) struct Asker(Sender<Event>);

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Event")
    }
}

impl Asker {
    pub(super) fn ask(&self) {
        // The supervisor is gone when the child is.
        let _ = self.0.send(Event::Stop);
    }
}

pub(super) fn start(
    mut command: Command,
    grace: Duration,
    tell: impl FnOnce(Ended) + Send + 'static,
) -> Result<(u32, Asker), SandboxError> {
    let failed = |what| move |source| SandboxError::Supervision { what, source };
    // Processes that the child leaves behind come to us instead of to init, so none of them escapes the end of the session.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true)
        .map_err(|errno| failed("the process could not become a subreaper")(io::Error::from(errno)))?;
    let before = tree::children_of(std::process::id());
    // Heard from before the child exists, so that no signal falls between.
    let (events, heard) = mpsc::channel();
    let ears = listen(events.clone()).map_err(failed("signals cannot be heard"))?;
    let terminal = Terminal::remember();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            ears.close();
            return Err(super::refused(command.get_program(), error));
        }
    };
    let pid = child.id();
    let mut supervisor =
        Supervisor { child: Pid::from_raw(pid.cast_signed()), before, grace, ended: None, ending: Ending::No };
    let supervision = std::thread::Builder::new().name("child".to_owned()).spawn(move || {
        let how = supervisor.run(&heard);
        terminal.restore();
        ears.close();
        tell(how);
    });
    match supervision {
        Ok(_) => Ok((pid, Asker(events))),
        Err(error) => {
            // It has run for a moment only; what cannot be supervised does not go on.
            let _ = child.kill();
            Err(failed("no thread could be started")(error))
        }
    }
}

/// Turns signals into events on a thread that ends when the returned handle is closed.
fn listen(events: Sender<Event>) -> io::Result<Handle> {
    let ignored = ignored_signals();
    // What was set to be ignored (`nohup`) stays ignored, also in the child: a handler would be reset to the default there.
    let wanted = PASSED_ON.into_iter().map(|signal| signal as i32).filter(|signal| !ignored.contains(signal));
    let mut signals = SignalsInfo::<WithOrigin>::new(wanted.chain([Signal::SIGCHLD as i32]))?;
    let handle = signals.handle();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for Origin { signal, cause, .. } in &mut signals {
            let event = match Signal::try_from(signal) {
                Ok(Signal::SIGCHLD) => Event::ChildChanged,
                Ok(signal) => Event::Signal(signal, cause),
                Err(_) => continue,
            };
            if events.send(event).is_err() {
                break;
            }
        }
    })?;
    Ok(handle)
}

/// The numbers of the signals this process ignores; nothing where the system does not say.
fn ignored_signals() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim).unwrap_or_default();
    let mask = u64::from_str_radix(mask, 16).unwrap_or(0);
    (1..=64).filter(|number| mask & (1 << (number - 1)) != 0).collect()
}

/// How far the end has come.
enum Ending {
    No,
    /// Asked with SIGTERM; killed after the deadline.
    Asked(Instant),
    /// Killed; given up on after the deadline.
    Killed(Instant),
}

struct Supervisor {
    child: Pid,
    /// Children of this process that are none of our business.
    before: Vec<u32>,
    grace: Duration,
    ended: Option<Ended>,
    ending: Ending,
}

impl Supervisor {
    fn run(&mut self, events: &Receiver<Event>) -> Ended {
        loop {
            let event = match self.ending {
                Ending::No => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Ending::Asked(_) | Ending::Killed(_) => events.recv_timeout(LOOK),
            };
            match event {
                Ok(Event::ChildChanged) => self.reap(),
                Ok(Event::Signal(signal, cause)) => self.pass_on(signal, cause),
                Ok(Event::Stop) => self.ask_to_stop(),
                Err(RecvTimeoutError::Timeout) => self.reap(),
                // Cannot be while the listening thread lives; without ears the only safe thing is to end the child.
                Err(RecvTimeoutError::Disconnected) => {
                    std::thread::sleep(LOOK);
                    self.ask_to_stop();
                    self.reap();
                }
            }
            if self.ended.is_some() {
                // The agent is gone: what it left running is no longer governed, so it ends too.
                self.ask_to_stop();
            }
            if let Some(how) = self.go_on_ending() {
                return how;
            }
        }
    }

    /// Collects everything that has ended, adopted processes included.
    fn reap(&mut self) {
        loop {
            let flags = WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED;
            match waitpid(Pid::from_raw(-1), Some(flags)) {
                Ok(WaitStatus::Exited(pid, status)) if pid == self.child => self.ended = Some(Ended::Exited(status)),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.child => {
                    self.ended = Some(Ended::Signalled(signal as i32));
                }
                Ok(WaitStatus::Stopped(pid, _)) if pid == self.child => self.stop_with_the_child(),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }

    /// The child was stopped (^Z): stop too, so that the shell gets its terminal back, and go on together.
    fn stop_with_the_child(&self) {
        // Without a terminal there is no shell that would ever continue us.
        if !matches!(self.ending, Ending::No) || std::fs::File::open("/dev/tty").is_err() {
            return;
        }
        let _ = raise(Signal::SIGSTOP);
        let _ = kill(self.child, Signal::SIGCONT);
    }

    fn pass_on(&self, signal: Signal, cause: Cause) {
        // The terminal sends to the whole group, the child included.
        if cause != Cause::Kernel && self.ended.is_none() {
            let _ = kill(self.child, signal);
        }
    }

    fn ask_to_stop(&mut self) {
        if matches!(self.ending, Ending::No) {
            self.ending = Ending::Asked(Instant::now() + self.grace);
            self.signal_all(Signal::SIGTERM);
            // A stopped process hears nothing until it goes on.
            self.signal_all(Signal::SIGCONT);
        }
    }

    /// How the child ended, once it and all it started is gone.
    fn go_on_ending(&mut self) -> Option<Ended> {
        let (Ending::Asked(deadline) | Ending::Killed(deadline)) = self.ending else {
            return None;
        };
        let late = Instant::now() >= deadline;
        if let Some(how) = self.ended
            && (self.rest().is_empty() || (late && matches!(self.ending, Ending::Killed(_))))
        {
            return Some(how);
        }
        match self.ending {
            Ending::Asked(_) if late => self.ending = Ending::Killed(Instant::now() + KILL_LIMIT),
            // Not even SIGKILL was followed: it hangs in the kernel. Say what will be true when it wakes.
            Ending::Killed(_) if late => return Some(Ended::Signalled(Signal::SIGKILL as i32)),
            _ => {}
        }
        if matches!(self.ending, Ending::Killed(_)) {
            // Again each time: a process may have started another while it was being killed.
            self.signal_all(Signal::SIGKILL);
        }
        None
    }

    fn rest(&self) -> Vec<u32> {
        tree::descendants_of(std::process::id(), &self.before)
    }

    fn signal_all(&self, signal: Signal) {
        for pid in self.rest() {
            let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
        }
    }
}

/// The settings of the terminal, so that a child that was killed in raw mode does not leave it that way.
struct Terminal(Option<Termios>);

impl Terminal {
    fn remember() -> Self {
        Self(termios::tcgetattr(io::stdin()).ok())
    }

    fn restore(self) {
        // Only the group in the foreground may do this without being stopped for it.
        if let Some(settings) = self.0
            && tcgetpgrp(io::stdin()) == Ok(getpgrp())
        {
            let _ = termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, &settings);
        }
    }
}
