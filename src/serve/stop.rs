//! When a process is told to stop.

use std::io;
use std::thread;

/// `SIGINT` or `SIGTERM`, each time; elsewhere than on Unix, Ctrl-C.
pub(super) struct Told {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

/// Calls `each` in another thread each time the process is told to stop, with how often it has been: from now on the
/// signals no longer end it.
///
/// # Errors
/// When the system gives no threads or no signals.
pub fn on_signal(mut each: impl FnMut(u32) + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = {
        let _within = runtime.enter();
        Told::new()
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
            Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// The next one.
    pub(super) async fn told(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        // Without signals nothing stops it but its end.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
