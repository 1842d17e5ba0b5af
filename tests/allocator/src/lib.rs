//! An allocator that looks for a secret in every block that is freed: what is still there is there for whoever gets the
//! block next, for a core dump, and for the swap file.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What is looked for: it is in no block before somebody puts it there.
pub const NEEDLE: &str = "canary-4c1d9e77b2";

static WATCHES: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
static WHERE: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    /// Telling where something was found frees blocks of its own.
    static TELLS: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator, watched.
#[derive(Debug)]
pub struct Watched;

// SAFETY: every call goes to the system's allocator as it came; a block is read before it is freed, and not written.
#[allow(unsafe_code, reason = "an allocator")]
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    // `realloc` is left as it is given: it allocates, copies and frees, so that the block left behind is looked at too.
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WATCHES.load(Ordering::Relaxed) && holds(block, layout.size()) {
            FOUND.fetch_add(1, Ordering::Relaxed);
            tell(layout.size());
        }
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Whether the needle is in a block that is still allocated.
#[allow(unsafe_code, reason = "what was not written is read too")]
fn holds(block: *const u8, size: usize) -> bool {
    let needle = NEEDLE.as_bytes();
    // SAFETY: the offset is less than the size of the block, which is not freed yet.
    let at = |offset: usize| unsafe { block.add(offset).read_volatile() };
    let starts = size.saturating_sub(needle.len() - 1);
    (0..starts).any(|start| {
        needle
            .iter()
            .enumerate()
            .all(|(offset, byte)| at(start + offset) == *byte)
    })
}

fn tell(size: usize) {
    // A panic that is being told holds the lock of the backtraces, and takes blocks in which the needle may lie still.
    if std::thread::panicking() {
        return;
    }
    TELLS.with(|tells| {
        if !tells.replace(true) {
            let place = format!(
                "a block of {size} bytes, freed at\n{}",
                Backtrace::force_capture()
            );
            if let Ok(mut places) = WHERE.lock() {
                places.push(place);
            }
            tells.set(false);
        }
    });
}

/// Looks at what is freed from now on.
pub fn watch() {
    WATCHES.store(true, Ordering::Relaxed);
}

/// How many blocks were freed with the needle in them since the last call, and where.
pub fn take_found() -> (usize, Vec<String>) {
    let places = WHERE.lock().map(|mut places| std::mem::take(&mut *places));
    (FOUND.swap(0, Ordering::Relaxed), places.unwrap_or_default())
}
