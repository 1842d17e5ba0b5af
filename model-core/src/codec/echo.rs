//! Keys that a client sends back unchanged.

use serde_json::Value;

use super::field_value::FieldValue;
use super::input::{InputCx, ObjectInput};
use super::writer::Writer;

/// The read-only keys of a JSON patch: accepted where they repeat what is stored, refused otherwise.
#[derive(Clone, Default)]
pub struct Echo(Vec<(&'static str, Option<Vec<u8>>)>);

impl std::fmt::Debug for Echo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(json, _)| json))
            .finish()
    }
}

impl Echo {
    /// Takes the key `json` of a patch, if it is there.
    pub fn take<T: FieldValue>(&mut self, input: &mut ObjectInput<'_>, json: &'static str) {
        if let Some(value) = input.take(json) {
            let parsed = read::<T>(value);
            self.0.push((json, parsed.and_then(|value| encoded(&value))));
        }
    }

    /// Refuses the key `json` unless it repeats `stored`.
    pub fn check<T: FieldValue>(&self, stored: &T, json: &'static str, cx: &mut InputCx) {
        if !self.repeats(stored, json) {
            cx.at(json, |cx| cx.reject("readonly", "cannot be changed"));
        }
    }

    /// As [`check`](Self::check), for the revision: another one means that somebody else was faster.
    pub fn check_revision<T: FieldValue>(&self, stored: &T, json: &'static str, cx: &mut InputCx) {
        if !self.repeats(stored, json) {
            cx.conflict();
        }
    }

    fn repeats<T: FieldValue>(&self, stored: &T, json: &'static str) -> bool {
        match self.0.iter().find(|(key, _)| *key == json) {
            None => true,
            Some((_, sent)) => sent.is_some() && *sent == encoded(stored),
        }
    }
}

/// What does not parse cannot be what is stored; why it does not parse is not worth telling.
fn read<T: FieldValue>(value: Value) -> Option<T> {
    T::parse(value, &mut InputCx::default()).map(T::from_input)
}

fn encoded<T: FieldValue>(value: &T) -> Option<Vec<u8>> {
    let mut out = Writer::new();
    value.encode(&mut out, "v");
    out.finish().ok()
}
