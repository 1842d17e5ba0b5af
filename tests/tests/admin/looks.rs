//! Commands that only look: at indexes, at what is older, at what cannot be read.

use serde_json::Value;

use crate::Program;

const OLDER: &str = "\
Crate: version 2, 3 older
Shelf: version 1, 0 older
Switch: version 1, 0 older
";

const VERIFIED: &str = "\
Crate of acme: 2 documents, 2 older, 0 unreadable, 0 dangling; secrets: 1 in the clear, 0 malformed, 0 under older keys
Crate of globex: 1 documents, 1 older, 0 unreadable, 1 dangling; secrets: 0 in the clear, 0 malformed, 0 under older keys
  ! not found: the Shelf that it refers to [id crt_2] [field shelf]
Shelf of acme: 1 documents, 0 older, 0 unreadable, 0 dangling
Switch: 1 documents, 0 older, 1 unreadable, 0 dangling
  ! stored document does not decode: expected bool, found string [id swi_1] [field is_on]
";

const PREVIEW: &str = "\
Crate: 3 older
  crt_0 (version 1)
    size: \"0\" -> 0
  crt_1 (version 1)
    size: \"1\" -> 1
    code: secret, changed
  crt_2 (version 1)
    size: \"2\" -> 2
Shelf: 0 older
Switch: 0 older
";

fn looks_at_indexes(program: &Program) {
    let (code, plan, _) = program.run("indexes plan");
    assert_eq!(code, 0);
    assert!(
        plan.contains("+ create shelves: organization_1_label_1_unique"),
        "{plan}"
    );
    assert_eq!(program.run("indexes check"), (1, plan, String::new()));
}

fn looks(program: &Program) {
    assert_eq!(
        program.run("migrate status"),
        (1, OLDER.to_owned(), String::new())
    );
    assert_eq!(program.run("verify"), (1, VERIFIED.to_owned(), String::new()));
    assert_eq!(
        program.run("migrate dry-run"),
        (0, PREVIEW.to_owned(), String::new())
    );
    let (code, one) = program.json("migrate status --tenant globex");
    assert_eq!(
        (code, &one[0]["older"], one.as_array().unwrap().len()),
        (1, &Value::from(1), 2)
    );
    assert_eq!(program.run("migrate status --model Shelf").0, 0);
    assert_eq!(
        program.run("audit verify --tenant acme").1,
        "0 entries in order\n"
    );
}

#[test]
fn looks_change_nothing_on_the_embedded_store() {
    looks_at_indexes(&Program::embedded());
    looks(&Program::embedded());
    assert_eq!(
        Program::embedded().run("keys status --tenant acme").1,
        "no keys\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_change_nothing_on_mongodb() {
    let program = Program::over_mongodb().await;
    looks_at_indexes(&program);
    looks_at_indexes(&program);
    let (code, _, err) = program.run("verify");
    assert!(code == 3 && err.contains("unique indexes are missing"), "{err}");
    assert_eq!(program.run("indexes sync").0, 0);
    looks(&program);
    looks(&program);
}
