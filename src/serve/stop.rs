//! When a process is told to stop.

use std::io;
use std::thread;

/// `SIGINT`, `SIGTERM`, and where it is asked for `SIGHUP`, each time; elsewhere than on Unix, Ctrl-C.
pub(super) struct Told {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
}

/// Calls `each` in another thread each time the process is told to stop, with how often it has been: from now on the
/// signals no longer end it. That its terminal is gone (`SIGHUP`) is one of them, unless that is to be ignored, as `nohup` has
/// it.
///
/// # Errors
/// When the system gives no threads or no signals.
pub fn on_signal(mut each: impl FnMut(u32) + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = {
        let _within = runtime.enter();
        Told::new().and_then(Told::or_hung_up)
    };
    let mut told = told?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            for count in 1.. {
                told.told().await;
                each(count);
            }
        });
    })?;
    Ok(())
}

impl Told {
    /// From now on the signals no longer end the process.
    pub(super) fn new() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            Ok(Self { interrupt, terminate, hang_up: None })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// The same with `SIGHUP`, where it is known that it is not to be ignored.
    #[cfg_attr(not(unix), expect(clippy::unnecessary_wraps, reason = "there are signals elsewhere"))]
    fn or_hung_up(self) -> io::Result<Self> {
        #[cfg(unix)]
        if !ignores_hang_up() {
            let hang_up = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
            return Ok(Self { hang_up: Some(hang_up), ..self });
        }
        Ok(self)
    }

    /// The next one.
    pub(super) async fn told(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            Some(()) = async { self.hang_up.as_mut()?.recv().await } => {}
        }
        #[cfg(not(unix))]
        // Without signals nothing stops it but its end.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Whether the process was started with `SIGHUP` ignored (proc(5), SigIgn: the lowest bit is signal 1). Where that is not told
/// the signal is left alone.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
}
