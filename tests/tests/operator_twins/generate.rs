//! Random documents, and random updates: typed for the model, and beside them what the bare driver sends.

use std::collections::BTreeSet;

use bson::{Bson, DateTime as BsonDate, Decimal128, Document, doc};
use model_core::Model;
use model_core::prelude::*;
use model_core::query::Field;

use crate::models::{Part, Small, Twin};

/// A source of random choices (SplitMix64).
pub(crate) struct Generator(pub(crate) u64);

impl Generator {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count).unwrap()).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn often(&mut self) -> bool {
        self.below(3) > 0
    }

    fn int(&mut self) -> i32 {
        self.pick(&[0, 1, -1, 2, 3, 7, -8, 100, 65_536, i32::MAX, i32::MIN])
    }

    fn long(&mut self) -> i64 {
        self.pick(&[
            0,
            1,
            -1,
            2,
            5,
            -9,
            1 << 31,
            1 << 40,
            i64::MAX,
            i64::MIN,
            i64::MAX - 1,
        ])
    }

    fn little(&mut self) -> i32 {
        self.pick(&[0, 1, 2, 3, 4, -1])
    }

    fn double(&mut self) -> f64 {
        self.pick(&[
            0.0,
            -0.0,
            1.0,
            -1.5,
            0.1,
            1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            5e-324,
        ])
    }

    fn text(&mut self) -> String {
        self.pick(&["", "a", "b", "ab", "B", "é", "z\0q", "$x", "a.b"])
            .to_owned()
    }

    fn date(&mut self) -> BsonDate {
        BsonDate::from_millis(self.pick(&[0, -1, 1_000, 1_767_225_600_000]))
    }

    fn decimal(&mut self) -> Decimal128 {
        self.pick(&["0", "1.50", "-1E+3", "NaN", "Infinity", "1.5"])
            .parse()
            .unwrap()
    }

    fn several<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(5)).map(|_| make(self)).collect()
    }

    fn any(&mut self) -> Bson {
        match self.below(6) {
            0 => Bson::Int32(self.int()),
            1 => Bson::String(self.text()),
            2 => Bson::Boolean(true),
            3 => Bson::Array(vec![Bson::Int32(1)]),
            4 => Bson::Document(doc! { "a": 1 }),
            _ => Bson::Null,
        }
    }

    fn part(&mut self) -> Document {
        let mut part = doc! { "n": i64::from(self.little()), "label": self.pick(&["a", "b", "c"]) };
        if self.often() {
            part.insert("note", self.text());
        }
        part.insert("marks", self.several(Self::little));
        part
    }

    fn small(&mut self) -> Document {
        let mut small = Document::new();
        if self.often() {
            small.insert("a", self.int());
        }
        if self.often() {
            small.insert("b", self.text());
        }
        if self.often() {
            small.insert("list", self.several(Self::little));
        }
        small
    }

    /// A document as the model itself would store it.
    pub(crate) fn document(&mut self, id: &str) -> Document {
        let mut document = doc! { "_id": id, "int": self.int() };
        let mut maybe = |g: &mut Self, key: &str, make: fn(&mut Self) -> Bson| {
            if g.often() {
                document.insert(key, make(g));
            }
        };
        maybe(self, "maybe_int", |g| g.int().into());
        maybe(self, "maybe_long", |g| g.long().into());
        maybe(self, "maybe_double", |g| g.double().into());
        maybe(self, "maybe_text", |g| g.text().into());
        maybe(self, "at", |g| g.date().into());
        maybe(self, "decimal", |g| g.decimal().into());
        // A stored null counts as absence, and the model itself stores none here.
        maybe(self, "any", |g| match g.any() {
            Bson::Null => Bson::Int32(0),
            any => any,
        });
        maybe(self, "longs", |g| g.several(|g| i64::from(g.little())).into());
        maybe(self, "small", |g| g.small().into());
        let mut nested = doc! { "max": self.int() };
        if self.often() {
            nested.insert("limit", self.long());
        }
        if self.often() {
            nested.insert("small", self.small());
        }
        let mut counts = Document::new();
        let mut lists = Document::new();
        for key in ["x", "y", "0"] {
            if self.often() {
                counts.insert(key, self.long());
            }
            if self.often() {
                lists.insert(key, self.several(Self::little));
            }
        }
        document.extend(doc! {
            "long": self.long(),
            "short": self.pick(&[0, 1, -1, 32_767, -32_768]),
            "wide": self.pick(&[0_i64, 1, 7, 4_294_967_295]),
            "double": self.double(),
            "text": self.text(),
            "flag": self.often(),
            "ints": self.several(Self::little),
            "doubles": self.several(Self::double),
            "texts": self.several(Self::text),
            "rows": self.several(|g| g.several(Self::little)),
            "parts": self.several(Self::part),
            "nested": nested,
            "counts": counts,
            "lists": lists,
        });
        document
    }
}

/// One update, in both forms.
pub(crate) struct Case {
    pub(crate) typed: Option<Operators<Twin>>,
    pub(crate) update: Document,
    pub(crate) array_filters: Vec<Document>,
    /// The same operator stands twice on one path, which a document cannot say: a refusal is due.
    pub(crate) repeated: bool,
    pub(crate) used: BTreeSet<String>,
}

impl Case {
    fn add(
        &mut self,
        typed: impl Into<Operators<Twin>>,
        operator: &str,
        path: &str,
        operand: impl Into<Bson>,
    ) {
        self.typed = Some(match self.typed.take() {
            Some(before) => before.and(typed),
            None => typed.into(),
        });
        self.on_the_server(operator, path, operand);
    }

    fn on_the_server(&mut self, operator: &str, path: &str, operand: impl Into<Bson>) {
        let paths = self
            .update
            .entry(operator)
            .or_insert_with(|| Document::new().into())
            .as_document_mut()
            .unwrap();
        self.repeated |= paths.insert(path, operand.into()).is_some();
        self.used.insert(operator.to_owned());
    }
}

/// One to three operators.
pub(crate) fn case(g: &mut Generator) -> Case {
    let mut case = Case {
        typed: None,
        update: Document::new(),
        array_filters: Vec::new(),
        repeated: false,
        used: BTreeSet::new(),
    };
    for _ in 0..=g.below(3) {
        match g.below(10) {
            0..=2 => numbers(g, &mut case),
            3 | 4 => values(g, &mut case),
            5 => nested(g, &mut case),
            6 | 7 => arrays(g, &mut case),
            8 => maps(g, &mut case),
            _ if case.array_filters.is_empty() => each(g, &mut case),
            _ => {}
        }
    }
    if case.typed.is_none() {
        numbers(g, &mut case);
    }
    case
}

macro_rules! number {
    ($g:ident, $case:ident, $field:expr, $path:literal, $by:expr) => {{
        let by = $by;
        match $g.below(2) {
            0 => $case.add($field.inc(by), "$inc", $path, by),
            _ => $case.add($field.mul(by), "$mul", $path, by),
        }
    }};
}

macro_rules! bits {
    ($g:ident, $case:ident, $field:expr, $path:literal, $by:expr) => {{
        let by = $by;
        match $g.below(3) {
            0 => $case.add($field.bit_and(by), "$bit", $path, doc! { "and": by }),
            1 => $case.add($field.bit_or(by), "$bit", $path, doc! { "or": by }),
            _ => $case.add($field.bit_xor(by), "$bit", $path, doc! { "xor": by }),
        }
    }};
}

macro_rules! ordered {
    ($g:ident, $case:ident, $field:expr, $path:literal, $value:expr, $stored:expr) => {{
        let value = $value;
        let stored = Bson::from($stored(&value));
        match $g.below(3) {
            0 => $case.add($field.min(value), "$min", $path, stored),
            1 => $case.add($field.max(value), "$max", $path, stored),
            _ => $case.add($field.set(value), "$set", $path, stored),
        }
    }};
}

fn numbers(g: &mut Generator, case: &mut Case) {
    let t = Twin::fields();
    match g.below(12) {
        0 => number!(g, case, t.int, "int", g.int()),
        1 => number!(g, case, t.maybe_int, "maybe_int", g.int()),
        2 => number!(g, case, t.long, "long", g.long()),
        3 => number!(g, case, t.maybe_long, "maybe_long", g.long()),
        4 => number!(g, case, t.short, "short", g.little()),
        5 => number!(g, case, t.wide, "wide", i64::from(g.little())),
        6 => number!(g, case, t.double, "double", g.double()),
        7 => number!(g, case, t.maybe_double, "maybe_double", g.double()),
        8 => bits!(g, case, t.int, "int", g.int()),
        9 => bits!(g, case, t.maybe_int, "maybe_int", g.int()),
        10 => bits!(g, case, t.maybe_long, "maybe_long", g.long()),
        _ => bits!(g, case, t.wide, "wide", i64::from(g.little())),
    }
}

fn values(g: &mut Generator, case: &mut Case) {
    let t = Twin::fields();
    match g.below(14) {
        0 => ordered!(g, case, t.int, "int", g.int(), |v: &i32| *v),
        1 => ordered!(g, case, t.maybe_int, "maybe_int", g.int(), |v: &i32| *v),
        2 => ordered!(g, case, t.maybe_long, "maybe_long", g.long(), |v: &i64| *v),
        3 => ordered!(g, case, t.double, "double", g.double(), |v: &f64| *v),
        4 => ordered!(g, case, t.maybe_double, "maybe_double", g.double(), |v: &f64| *v),
        5 => ordered!(g, case, t.text, "text", g.text(), String::clone),
        6 => ordered!(g, case, t.maybe_text, "maybe_text", g.text(), String::clone),
        7 => ordered!(g, case, t.at, "at", g.date().to_chrono(), |v: &DateTime<Utc>| {
            BsonDate::from_chrono(*v)
        }),
        8 => ordered!(g, case, t.flag, "flag", g.often(), |v: &bool| *v),
        9 => ordered!(g, case, t.decimal, "decimal", g.decimal(), |v: &Decimal128| *v),
        10 => case.add(t.maybe_text.unset(), "$unset", "maybe_text", ""),
        11 => case.add(t.at.set(None), "$unset", "at", ""),
        12 => {
            let any = g.any();
            match any {
                // In an optional field null is absence.
                Bson::Null => case.add(t.any.unset(), "$unset", "any", ""),
                any => case.add(t.any.set(any.clone()), "$set", "any", any),
            }
        }
        _ => ordered!(g, case, t.wide, "wide", 7_u32, |v: &u32| i64::from(*v)),
    }
}

fn nested(g: &mut Generator, case: &mut Case) {
    let t = Twin::fields();
    match g.below(10) {
        0 => number!(g, case, t.nested.max, "nested.max", g.int()),
        1 => number!(g, case, t.nested.limit, "nested.limit", g.long()),
        2 => case.add(t.nested.limit.unset(), "$unset", "nested.limit", ""),
        3 => number!(g, case, t.nested.small.a, "nested.small.a", g.int()),
        4 => ordered!(g, case, t.small.b, "small.b", g.text(), String::clone),
        5 => case.add(t.small.unset(), "$unset", "small", ""),
        6 => case.add(t.nested.small.b.unset(), "$unset", "nested.small.b", ""),
        7 => case.add(t.small.list.push(3), "$push", "small.list", 3),
        8 => case.add(
            t.nested.small.list.pull(3),
            "$pullAll",
            "nested.small.list",
            vec![3],
        ),
        _ => {
            let (a, b) = (g.int(), g.text());
            let small = Small {
                a: Some(a),
                b: Some(b.clone()),
                list: None,
            };
            case.add(
                t.nested.small.set(small),
                "$set",
                "nested.small",
                doc! { "a": a, "b": b },
            );
        }
    }
}

/// A part, and what is stored of it.
fn part(g: &mut Generator) -> (Part, Document) {
    let document = g.part();
    let part = Part {
        n: document.get_i64("n").unwrap(),
        label: document.get_str("label").unwrap().to_owned(),
        note: document.get_str("note").ok().map(str::to_owned),
        marks: document
            .get_array("marks")
            .unwrap()
            .iter()
            .map(|mark| mark.as_i32().unwrap())
            .collect(),
    };
    (part, document)
}

/// `$push` with modifiers, whose elements sort by themselves (or by `n`, where they are documents).
macro_rules! push {
    ($g:ident, $case:ident, $field:expr, $path:literal, $values:expr, $stored:expr, $by:expr, $sort:expr) => {{
        let values = $values;
        let mut operand = doc! { "$each": values.iter().map($stored).collect::<Vec<_>>() };
        let mut push = $field.push_each(values);
        if $g.often() {
            let at = $g.pick(&[0, 1, 2, -1, -2, 9, -9]);
            operand.insert("$position", at);
            push = push.at(at);
        }
        if $g.below(2) == 0 {
            let direction = $g.pick(&[1, -1]);
            operand.insert("$sort", $sort(direction));
            push = push.sort(|e| $by(e, direction));
        }
        match $g.below(4) {
            0 => {
                let count = $g.pick(&[0_u32, 1, 2, 9]);
                operand.insert("$slice", i64::from(count));
                push = push.keep_first(count);
            }
            1 => {
                let count = $g.pick(&[0_u32, 1, 2, 9]);
                operand.insert("$slice", -i64::from(count));
                push = push.keep_last(count);
            }
            _ => {}
        }
        $case.add(push, "$push", $path, operand);
    }};
}

macro_rules! by {
    ($element:expr, $direction:expr) => {
        if $direction == 1 {
            $element.asc()
        } else {
            $element.desc()
        }
    };
}

fn arrays(g: &mut Generator, case: &mut Case) {
    let t = Twin::fields();
    match g.below(16) {
        0 => push!(
            g,
            case,
            t.ints,
            "ints",
            g.several(Generator::little),
            |v: &i32| *v,
            |e: &Field<Twin, i32>, d: i32| by!(e, d),
            |d: i32| d
        ),
        1 => push!(
            g,
            case,
            t.longs,
            "longs",
            g.several(Generator::long),
            |v: &i64| *v,
            |e: &Field<Twin, i64>, d: i32| by!(e, d),
            |d: i32| d
        ),
        2 => push!(
            g,
            case,
            t.texts,
            "texts",
            g.several(Generator::text),
            String::clone,
            |e: &Field<Twin, String>, d: i32| by!(e, d),
            |d: i32| d
        ),
        3 | 4 => {
            let parts: Vec<_> = (0..g.below(3)).map(|_| part(g)).collect();
            let documents: Vec<Document> = parts.iter().map(|(_, document)| document.clone()).collect();
            let mut stored = documents.into_iter();
            push!(
                g,
                case,
                t.parts,
                "parts",
                parts.into_iter().map(|(part, _)| part).collect::<Vec<_>>(),
                |_: &Part| stored.next().unwrap(),
                |e: &Field<Twin, Part>, d: i32| if d == 1 {
                    e.n.asc().then(e.note.desc())
                } else {
                    e.label.desc().then(e.n.asc())
                },
                |d: i32| if d == 1 {
                    doc! { "n": 1, "note": -1 }
                } else {
                    doc! { "label": -1, "n": 1 }
                }
            );
        }
        5 => {
            let v = g.little();
            case.add(t.ints.add_to_set(v), "$addToSet", "ints", v);
        }
        6 => {
            let v = g.several(Generator::double);
            case.add(
                t.doubles.add_each_to_set(v.clone()),
                "$addToSet",
                "doubles",
                doc! { "$each": v },
            );
        }
        7 => {
            let (part, stored) = part(g);
            case.add(t.parts.add_to_set(part), "$addToSet", "parts", stored);
        }
        8 => {
            let v = g.several(Generator::double);
            case.add(t.doubles.pull_all(v.clone()), "$pullAll", "doubles", v);
        }
        9 => {
            let v = i64::from(g.little());
            case.add(
                t.longs.pull_where(|e| e.gte(v)),
                "$pull",
                "longs",
                doc! { "$gte": v },
            );
        }
        10 => {
            let n = i64::from(g.little());
            case.add(
                t.parts.pull_where(|p| p.n.lt(n) & p.marks.eq(1)),
                "$pull",
                "parts",
                doc! { "n": { "$lt": n }, "marks": { "$eq": 1 } },
            );
        }
        11 => {
            let row = g.several(Generator::little);
            case.add(t.rows.add_to_set(row.clone()), "$addToSet", "rows", row);
        }
        12 => case.add(t.ints.pop_first(), "$pop", "ints", -1),
        13 => case.add(t.longs.pop_last(), "$pop", "longs", 1),
        14 => {
            let v = g.text();
            case.add(t.texts.pull(v.clone()), "$pullAll", "texts", vec![v]);
        }
        _ => {
            let v = g.several(Generator::little);
            case.add(t.ints.set(v.clone()), "$set", "ints", v);
        }
    }
}

fn maps(g: &mut Generator, case: &mut Case) {
    let t = Twin::fields();
    let key = g.pick(&["x", "y", "0", "new"]);
    let (count, list) = (format!("counts.{key}"), format!("lists.{key}"));
    match g.below(7) {
        0 => {
            let v = g.long();
            case.add(t.counts.key(key).set(v), "$set", &count, v);
        }
        1 => case.add(t.counts.key(key).unset(), "$unset", &count, ""),
        2 => {
            let v = g.long();
            case.add(t.counts.key(key).inc(v), "$inc", &count, v);
        }
        3 => {
            let v = g.long();
            case.add(t.counts.key(key).update(|c| c.max(v)), "$max", &count, v);
        }
        4 => case.add(t.lists.key(key).update(|l| l.push(1)), "$push", &list, 1),
        5 => case.add(
            t.lists.key(key).update(|l| l.pull_where(|e| e.lt(2))),
            "$pull",
            &list,
            doc! { "$lt": 2 },
        ),
        _ => case.add(t.lists.key(key).update(|l| l.pop_last()), "$pop", &list, 1),
    }
}

/// Operators on elements that a filter chooses.
fn each(g: &mut Generator, case: &mut Case) {
    let t = Twin::fields();
    match g.below(6) {
        0 => {
            let (v, by) = (g.little(), g.int());
            case.array_filters.push(doc! { "e": { "$gt": v } });
            case.add(
                t.ints.each(|e| e.gt(v)).update(|e| e.inc(by)),
                "$inc",
                "ints.$[e]",
                by,
            );
        }
        1 => {
            let by = g.long();
            case.add(
                t.longs.each(|_| Filter::all()).update(|e| e.mul(by)),
                "$mul",
                "longs.$[]",
                by,
            );
        }
        2 => {
            let v = g.text();
            case.array_filters.push(doc! { "e": { "$in": ["a", "", "b"] } });
            case.add(
                t.texts.each(|e| e.in_(["a", "", "b"])).set(v.clone()),
                "$set",
                "texts.$[e]",
                v,
            );
        }
        3 => {
            let (n, by) = (i64::from(g.little()), g.long());
            case.array_filters
                .push(doc! { "e.n": { "$lte": n }, "e.label": { "$ne": "b" } });
            let parts = t.parts.each(|p| p.n.lte(n) & p.label.ne("b"));
            case.add(
                parts.update(|p| p.n.inc(by).and(p.note.unset())),
                "$inc",
                "parts.$[e].n",
                by,
            );
            case.on_the_server("$unset", "parts.$[e].note", "");
        }
        4 => {
            let v = g.little();
            case.array_filters
                .push(doc! { "$or": [{ "e.marks": { "$eq": 2 } }, { "e.note": { "$exists": false } }] });
            let parts = t.parts.each(|p| p.marks.eq(2) | p.note.exists(false));
            case.add(
                parts.update(|p| p.marks.push(v).and(p.label.max("bb"))),
                "$push",
                "parts.$[e].marks",
                v,
            );
            case.on_the_server("$max", "parts.$[e].label", "bb");
        }
        _ => {
            let (v, by) = (g.little(), g.int());
            case.array_filters.push(doc! { "e": { "$lt": v } });
            let rows = t.rows.each(|_| Filter::all());
            let typed = rows.update(|row| row.each(|e| e.lt(v)).update(|e| e.inc(by)));
            case.add(typed, "$inc", "rows.$[].$[e]", by);
        }
    }
}
