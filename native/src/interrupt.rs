//! Interruption: long work ends early where its caller wants that.
//!
//! Work calls [`tick`] now and then with about the nanoseconds it has spent since its last call. After every
//! millisecond or so of work the clock is read, and every [`INTERVAL`] the caller is asked. If the caller
//! wants no more, the stack unwinds from `tick` to [`run`], so that nothing in between has to pass the
//! interruption on.
//!
//! What bounds it: a tick is a subtraction in memory of the thread. Loops over windows and keys tick once for
//! some thousand of them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// The time between two questions to the caller.
pub const INTERVAL: Duration = Duration::from_millis(50);
/// The nanoseconds of work, as ticks estimate them, between two looks at the clock.
const BETWEEN_LOOKS: u64 = 1 << 20;
/// Bytes of text, or keys, that a loop goes through between two ticks.
pub const STEP: usize = 1 << 16;

/// What a caller wants of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Go on, and ask again.
    GoOn,
    /// Go on to the end; there will be no other answer.
    Finish,
    /// Stop as soon as possible.
    Stop,
}

/// The caller wanted the work to stop; what it changed in place is half done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// How long this thread may go on with its work.
struct Patience {
    /// Nanoseconds of work until the next look at the clock.
    left: Cell<u64>,
    /// When the caller is asked next, from the first look on.
    next: Cell<Option<Instant>>,
    /// The caller, if it can be asked.
    ask: Cell<Option<fn() -> Wish>>,
}

thread_local! {
    static PATIENCE: Patience = const {
        Patience { left: Cell::new(BETWEEN_LOOKS), next: Cell::new(None), ask: Cell::new(None) }
    };
}

/// Do some work, and ask every [`INTERVAL`] whether to go on.
///
/// `ask` may itself do work of this kind. The work must leave whatever it borrows safe to use when it stops
/// at any tick, if not complete.
pub fn run<T>(ask: fn() -> Wish, work: impl FnOnce() -> T) -> Result<T, Interrupted> {
    let before = PATIENCE.with(|patience| {
        (patience.left.replace(BETWEEN_LOOKS), patience.next.take(), patience.ask.replace(Some(ask)))
    });
    let result = catch_unwind(AssertUnwindSafe(work));
    PATIENCE.with(|patience| {
        patience.left.set(before.0);
        patience.next.set(before.1);
        patience.ask.set(before.2);
    });
    match result {
        Ok(value) => Ok(value),
        Err(payload) if payload.is::<Interrupted>() => Err(Interrupted),
        Err(payload) => resume_unwind(payload),
    }
}

/// Do some work on `state`, and `undo` it if it stops before its end.
pub fn or_undo<S, T>(state: &mut S, work: impl FnOnce(&mut S) -> T, undo: impl FnOnce(&mut S)) -> T {
    match catch_unwind(AssertUnwindSafe(|| work(state))) {
        Ok(value) => value,
        Err(payload) => {
            undo(state);
            resume_unwind(payload)
        }
    }
}

/// Record that about so many nanoseconds of work have been done; unwind to [`run`] if it is to stop.
#[inline(always)]
pub fn tick(nanoseconds: usize) {
    PATIENCE.with(|patience| {
        let left = patience.left.get();
        if let Some(left) = left.checked_sub(nanoseconds as u64) {
            patience.left.set(left);
        } else {
            patience.look();
        }
    });
}

impl Patience {
    /// Look at the clock, and ask the caller if it is time.
    #[cold]
    #[inline(never)]
    fn look(&self) {
        self.left.set(BETWEEN_LOOKS);
        let Some(ask) = self.ask.get() else { return };
        let now = Instant::now();
        let next = self.next.get().unwrap_or(now + INTERVAL);
        self.next.set(Some(next));
        if now < next {
            return;
        }
        match ask() {
            Wish::GoOn => self.next.set(Some(Instant::now() + INTERVAL)),
            Wish::Finish => self.ask.set(None),
            // No panic: nothing is printed.
            Wish::Stop => resume_unwind(Box::new(Interrupted)),
        }
    }
}

/// Append zeros until there are `n_bytes`, which takes long where memory is new.
pub fn extend_with_zeros(bytes: &mut Vec<u8>, n_bytes: usize) {
    const PART: usize = 1 << 20;
    bytes.reserve(n_bytes.saturating_sub(bytes.len()));
    while bytes.len() < n_bytes {
        bytes.resize(n_bytes.min(bytes.len() + PART), 0);
        tick(PART / 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn spend(time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            tick(1000);
        }
    }

    #[test]
    fn work_stops_soon_after_its_caller_wants_it_to() {
        let start = Instant::now();
        assert_eq!(run(|| Wish::Stop, || spend(Duration::from_secs(60))), Err(Interrupted));
        assert!((INTERVAL..Duration::from_secs(20)).contains(&start.elapsed()));
        assert_eq!(run(|| Wish::Stop, || 7), Ok(7));
    }

    #[test]
    fn a_caller_that_never_stops_its_work_is_asked_once() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let ask = || {
            ASKED.fetch_add(1, Ordering::Relaxed);
            Wish::Finish
        };
        assert_eq!(run(ask, || spend(4 * INTERVAL)), Ok(()));
        assert_eq!(ASKED.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_caller_may_work_while_it_is_asked() {
        fn ask() -> Wish {
            assert_eq!(run(|| Wish::Stop, || spend(3 * INTERVAL)), Err(Interrupted));
            Wish::GoOn
        }
        assert_eq!(run(ask, || spend(2 * INTERVAL)), Ok(()));
        assert_eq!(run(|| Wish::Stop, || spend(Duration::from_secs(60))), Err(Interrupted));
    }

    #[test]
    fn what_is_half_done_can_be_undone() {
        let mut done = vec![1];
        let fill = |done: &mut Vec<u64>| {
            done.extend([2, 3]);
            spend(Duration::from_secs(60));
        };
        assert_eq!(
            run(|| Wish::Stop, || or_undo(&mut done, fill, |done| done.truncate(1))),
            Err(Interrupted)
        );
        assert_eq!(done, [1]);
    }

    #[test]
    fn other_panics_pass_through() {
        let caught = catch_unwind(|| run(|| Wish::Stop, || resume_unwind(Box::new("other"))));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"other"));
    }
}
