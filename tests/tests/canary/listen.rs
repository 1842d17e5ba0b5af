//! What the process says: traces at every level, and panics.

use std::fmt::Debug;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// What was heard so far.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Listener(Heard);

impl Visit for Heard {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "{} = {value:?}", field.name()).unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        writeln!(self.0.lock().unwrap(), "{} = {value}", field.name()).unwrap();
    }
}

impl<S: Subscriber> Layer<S> for Listener {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut self.0.clone());
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut self.0.clone());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.0.clone());
    }
}

/// All traces from now on, of every crate, down to TRACE.
pub(crate) fn trace() -> Heard {
    let heard = Heard::default();
    let subscriber = tracing_subscriber::registry().with(Listener(heard.clone()));
    tracing::subscriber::set_global_default(subscriber).unwrap();
    heard
}

/// All panics from now on, which nobody else hears.
pub(crate) fn panics() -> Heard {
    let heard = Heard::default();
    let listener = heard.clone();
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.to_string();
        let is_ours = text.contains("planned");
        writeln!(listener.0.lock().unwrap(), "{text}").unwrap();
        if !is_ours {
            default(info);
        }
    }));
    heard
}
