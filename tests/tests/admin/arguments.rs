//! What a caller does wrong, and a reader that goes away.

use std::process::Stdio;

use serde_json::Value;

use crate::{Program, told};

/// A wrong argument is 2, a failure 3; both say why on the standard error, and print nothing else.
#[test]
fn bad_arguments_are_told() {
    let program = Program::embedded();
    for (arguments, text) in [
        ("frobnicate", "unrecognized subcommand 'frobnicate'"),
        ("indexes", "Usage: model-admin indexes [OPTIONS] <COMMAND>"),
        ("indexes snyc", "a similar subcommand exists: 'sync'"),
        (
            "migrate run --batch many",
            "invalid value 'many' for '--batch <BATCH>'",
        ),
        (
            "migrate run --model Crat",
            "there is no model `Crat`; there are Crate, Shelf, Switch",
        ),
        ("migrate run --tenant oid:7", "is no `ObjectId`"),
        ("keys rotate --promote 12", "32 hexadecimal digits"),
        ("keys rotate --purpose sign", "is none of `enc`, `bidx`, `pepper`"),
        ("keys shred --tenant acme", "--confirm <CONFIRM>"),
        (
            "keys shred --tenant acme --confirm acne",
            "is not the tenant whose keys are to be destroyed",
        ),
        ("keys reencrypt --resume s:crt_1", "goes with one `--model`"),
        ("audit history --id crt_1", "--model <NAME>"),
    ] {
        let (code, out, err) = program.run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments}: {err}");
        assert!(err.contains(text), "{arguments}: {err}");
    }
    let (code, out, err) = program.run("schema check --manifest /nowhere.json");
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.contains("cannot read /nowhere.json"), "{err}");
    let (code, error) = program.json("schema diff --manifest /nowhere.json");
    assert_eq!((code, &error["kind"]), (3, &Value::from("Configuration")));
    let (code, help, _) = program.run("--help");
    assert!(
        code == 0 && help.contains("Administers the database of this service"),
        "{help}"
    );
    let forgets = program
        .command("migrate status")
        .env("ADMIN_FORGETS", "1")
        .output()
        .unwrap();
    let (code, _, err) = told(forgets);
    assert!(code == 3 && err.contains("Switch"), "{err}");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = Program::embedded()
        .command("schema print")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let (code, _, err) = told(child.wait_with_output().unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
}
