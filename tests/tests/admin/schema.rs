//! `schema`: the manifest, and the drawing.

use serde_json::Value;

use crate::Program;

#[test]
fn the_schema_is_checked_against_its_manifest() {
    let program = Program::embedded();
    let folder = std::env::temp_dir().join(format!("model-admin-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (now, before) = (folder.join("models.json"), folder.join("before.json"));
    let (code, manifest, _) = program.run("schema print");
    assert_eq!(code, 0);
    std::fs::write(&now, &manifest).unwrap();
    let check = format!("schema check --manifest {}", now.display());
    let (code, text, _) = program.run(&check);
    assert_eq!((code, text.as_str()), (0, "the models are as in the manifest\n"));
    // The manifest was written anew, and the version was not raised: only the release before tells.
    let older = manifest.replace(
        "\"Shelf.collection\": \"shelves\"",
        "\"Shelf.collection\": \"racks\"",
    );
    std::fs::write(&before, older).unwrap();
    let (code, text, _) = program.run(&format!("{check} --base {}", before.display()));
    assert_eq!(code, 1);
    assert!(
        text.contains("~ Shelf.collection: \"racks\" -> \"shelves\""),
        "{text}"
    );
    assert!(text.contains("a higher `version`"), "{text}");
    let (code, text, _) = program.run(&format!("schema check --manifest {}", before.display()));
    assert!(code == 1 && text.contains("the manifest is stale"), "{text}");
    let (code, diff) = program.json(&format!("schema diff --manifest {}", before.display()));
    assert_eq!((code, &diff[0]["fact"]), (0, &Value::from("Shelf.collection")));
    std::fs::remove_dir_all(folder).unwrap();
}

const GRAPH: &str = "\
classDiagram
    class Crate {
        <<crates, version 2>>
        _id: id crt_
        organization: tenant
        shelf: ref Shelf
        name: string
        size: uint32, since 2
        code: optional encrypted string
        lamp: optional id swi_
        index(organization, shelf, name)
    }
    class Shelf {
        <<shelves, version 1>>
        _id: id shf_
        organization: tenant
        label: string
        unique(organization, label)
    }
    class Switch {
        <<switches, version 1>>
        _id: id swi_
        is_on: bool
    }
    Crate --> Shelf : shelf, restrict
    Crate ..> Switch : lamp
";

#[test]
fn the_models_are_drawn() {
    let program = Program::embedded();
    assert_eq!(program.run("schema graph"), (0, GRAPH.to_owned(), String::new()));
    let (code, picture, _) = program.run("schema graph --format svg");
    assert!(
        code == 0 && picture.starts_with("<?xml") && picture.trim_end().ends_with("</svg>"),
        "{picture}"
    );
    for text in [
        "Crate (crates, version 2)",
        "unique(organization, label)",
        "marker-end",
        "shelf, restrict",
        "stroke-dasharray",
    ] {
        assert!(picture.contains(text), "{text} in {picture}");
    }
    // It is as large as what is drawn.
    let number = |name: &str| -> f64 {
        let (_, rest) = picture.split_once(&format!(" {name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    assert!(number("height") < 400.0 && number("width") < 1_000.0, "{picture}");
}
