//! The bounds that every input is held to: processor time and memory.

use std::time::Duration;

use peak_alloc::PeakAlloc;

use crate::clock::processor_time;

/// The processor time that one input may take. Targets are optimised, and slowed by what libFuzzer and debug assertions
/// add.
const TIME: Duration = Duration::from_millis(100);
/// What one input may allocate at a time, in octets.
const MEMORY: usize = 64 << 20;
/// A first use fills caches, and an interrupt counts as the thread's time: what is slow must be so every time.
const TRIES: usize = 3;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A libFuzzer target, written as for `libfuzzer_sys::fuzz_target!`, that fails over the bounds too.
#[macro_export]
macro_rules! target {
    (init: $init:expr, |$data:ident: &[u8]| $body:expr $(,)?) => {
        libfuzzer_sys::fuzz_target!(init: $init, |$data: &[u8]| $crate::bounded(|| $body));
    };
}

/// Runs an input and panics where it takes over 100 ms of processor time or 64 MiB at a time. libFuzzer's own limits are
/// on the clock, which stops for nobody on a busy machine, and on the whole process with its corpus.
pub fn bounded(run: impl Fn()) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let mut fastest = Duration::MAX;
    for _ in 0..TRIES {
        let started = processor_time();
        run();
        fastest = fastest.min(processor_time().saturating_sub(started));
        if fastest <= TIME {
            break;
        }
    }
    let taken = ALLOCATOR.peak_usage().saturating_sub(before);
    assert!(fastest <= TIME, "the input took {fastest:?} of processor time, over {TIME:?}");
    assert!(taken <= MEMORY, "the input took {} MiB, over {}", taken >> 20, MEMORY >> 20);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_within_the_bounds_passes() {
        bounded(|| drop(std::hint::black_box(vec![1_u8; MEMORY / 2])));
    }

    #[test]
    #[should_panic(expected = "of processor time")]
    fn long_work_fails() {
        bounded(|| {
            let started = processor_time();
            while processor_time() - started < TIME * 11 / 10 {
                std::hint::spin_loop();
            }
        });
    }

    #[test]
    #[should_panic(expected = "MiB")]
    fn large_work_fails() {
        bounded(|| drop(std::hint::black_box(vec![1_u8; MEMORY + 1])));
    }
}
