//! Signals: the interpreter handles them while the kernel works, so that Ctrl-C ends a long call.

use std::cell::RefCell;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::interrupt::{Wish, run};

thread_local! {
    /// What a signal's handler has raised.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Do some work without the interpreter's lock, and handle signals while it lasts.
///
/// What a handler raises, such as `KeyboardInterrupt`, ends the work. Python handles signals in its main
/// thread; work in other threads ends only by itself.
pub fn detached<T: Send>(py: Python, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| run(handle_signals, work)).map_err(|_| {
        let raised = RAISED.with_borrow_mut(Option::take);
        raised.unwrap_or_else(|| PyRuntimeError::new_err("the work was interrupted"))
    })
}

fn handle_signals() -> Wish {
    // Without an interpreter, which may end before its threads, there is nothing to handle.
    Python::try_attach(|py| {
        // Python code runs handlers, too: what they raise may come from either call.
        let is_main = py.check_signals().and_then(|()| is_main_thread(py));
        is_main.map_or_else(
            |error| {
                RAISED.set(Some(error));
                Wish::Stop
            },
            // In other threads, waiting for the lock again and again would be to no purpose.
            |is_main| if is_main { Wish::GoOn } else { Wish::Finish },
        )
    })
    .unwrap_or(Wish::Finish)
}

fn is_main_thread(py: Python) -> PyResult<bool> {
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    main.eq(threading.call_method0("get_ident")?)
}
