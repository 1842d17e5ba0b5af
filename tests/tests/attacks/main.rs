//! The sixty attacks, by number, and the tests that make them. What is here takes a process of its own, or a server, or long.

mod child;
mod killed;
mod logins;
mod nonces;
mod rotation;
mod seal_paths;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use model_core::prelude::*;

/// Whoever works here.
#[derive(Clone)]
struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("ada")
    }
}

/// Everybody may do everything: what stands in the way is not the policy.
macro_rules! open_policy {
    () => {
        fn can_read(&self, _: &Context<User>) -> bool {
            true
        }

        fn can_create(&self, _: &Context<User>) -> bool {
            true
        }

        fn can_update(&self, _: &Context<User>, _: &Self) -> bool {
            true
        }

        fn can_delete(&self, _: &Context<User>) -> bool {
            true
        }
    };
}

use open_policy;

/// Whether the sizes are those of `.ci/soak`.
fn is_full() -> bool {
    std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full")
}

const ENVELOPE: &str = "model-core/src/crypto/tests/attacks.rs";
const KEYRING: &str = "model-core/src/crypto/tests/keyring.rs";
const PASSWORDS: &str = "model-core/src/crypto/tests/passwords.rs";
const LIMITS: &str = "model-core/src/crypto/tests/password_limits.rs";
const STORED: &str = "tests/tests/conformance/attacks.rs";
const ALTERED: &str = "tests/tests/conformance/seals/altered.rs";
const BLIND: &str = "tests/tests/conformance/blind.rs";
const LITERAL: &str = "tests/tests/conformance/literal.rs";
const OUTSIDE: &str = "tests/tests/conformance/outside.rs";
const REENCRYPT: &str = "tests/tests/conformance/reencrypt.rs";
const HERE: &str = "tests/tests/attacks";

/// Each attack, and where it is made: a function in a file, or a program that must not compile.
const ATTACKS: &[(u32, &str, &str)] = &[
    (1, STORED, "moved_ciphertexts"),
    (1, ENVELOPE, "a_moved_ciphertext_is_tampered"),
    (2, STORED, "moved_ciphertexts"),
    (3, STORED, "moved_ciphertexts"),
    (4, ENVELOPE, "a_moved_ciphertext_is_tampered"),
    (5, ENVELOPE, "an_id_of_another_bson_type_is_another_id"),
    (6, STORED, "other_tenants"),
    (7, STORED, "other_tenants"),
    (8, STORED, "other_tenants"),
    (
        8,
        ENVELOPE,
        "key_id_rewritten_to_another_key_of_the_tenant_is_tampered",
    ),
    (9, ENVELOPE, "every_truncation_fails_by_what_is_missing"),
    (10, ENVELOPE, "every_flipped_bit_fails_by_its_region"),
    (11, STORED, "altered_bytes"),
    (12, STORED, "altered_bytes"),
    (13, KEYRING, "planted_ids_cost_one_read_each"),
    (14, ENVELOPE, "suite_bytes"),
    (15, ENVELOPE, "suite_bytes"),
    (16, KEYRING, "wrong_bytes_under_a_right_id_are_found_at_load"),
    (17, LITERAL, "no_two_places_have_one_form"),
    (
        17,
        "model-core/src/crypto/aad.rs",
        "places_that_concatenate_alike_have_distinct_bytes",
    ),
    (18, "model-core/src/crypto/xaes.rs", "c2sp_known_answers"),
    (
        18,
        "model-core/src/crypto/tests/published.rs",
        "c2sp_xaes_256_gcm_accumulated",
    ),
    (19, "tests/tests/attacks/nonces.rs", "no_nonce_is_used_twice"),
    (20, STORED, "replay_is_not_claimed"),
    (20, ALTERED, "an_older_value_is_not_put_back"),
    (21, ALTERED, "what_was_altered_is_not_read"),
    (21, "tests/tests/attacks/seal_paths.rs", "every_way_is_checked"),
    (22, ALTERED, "an_older_value_is_not_put_back"),
    (23, "tests/tests/conformance/keys.rs", "shredding_a_tenant"),
    (23, BLIND, "a_shredded_tenant_is_not_found"),
    (24, REENCRYPT, "rotation_under_load"),
    (
        24,
        "tests/tests/attacks/rotation.rs",
        "a_rotation_of_two_phases_is_noticed_by_nobody",
    ),
    (
        24,
        "tests/tests/attacks/rotation.rs",
        "a_rotation_of_one_phase_is",
    ),
    (25, REENCRYPT, "rotation_under_load"),
    (26, REENCRYPT, "failures_are_listed"),
    (
        26,
        "tests/tests/attacks/killed.rs",
        "a_killed_reencryption_goes_on",
    ),
    (
        27,
        "tests/tests/conformance/legacy.rs",
        "a_binary_is_never_plaintext",
    ),
    (
        28,
        "tests/tests/conformance/validators.rs",
        "another_client_is_refused_what_we_could_not_read",
    ),
    (29, STORED, "planted_names"),
    (30, STORED, "canary"),
    (31, STORED, "moved_ciphertexts"),
    (31, "tests/ui/operators/secret.rs", ""),
    (32, BLIND, "a_rotation_leaves_no_gap"),
    (32, BLIND, "tokens_differ_by_tenant_and_field"),
    (32, BLIND, "tokens_follow_their_value"),
    (
        32,
        "tests/tests/conformance/truncated.rs",
        "answers_are_exact_with_a_superset_scope",
    ),
    (33, "tests/tests/canary/main.rs", "the_canary_is_nowhere"),
    (34, STORED, "another_type"),
    (35, STORED, "canary"),
    (36, "tests/ui/query/secrets-are-not-compared.rs", ""),
    (36, "tests/ui/query/encrypted.rs", ""),
    (36, "tests/ui/index/encrypted.rs", ""),
    (36, "tests/ui/operators/secret.rs", ""),
    (
        37,
        "tests/allocator/tests/canary.rs",
        "no_plaintext_in_what_is_freed",
    ),
    (38, OUTSIDE, "operators_do_not_enter"),
    (39, LITERAL, "an_operand_is_a_value"),
    (40, OUTSIDE, "secrets_cannot_be_asked_about"),
    (40, "tests/ui/query/secrets-are-not-sorted.rs", ""),
    (41, LITERAL, "a_text_names_no_field"),
    (42, OUTSIDE, "secrets_cannot_be_asked_about"),
    (43, OUTSIDE, "bombs_are_refused_at_once"),
    (44, "tests/tests/conformance/types.rs", "map_keys_are_checked"),
    (45, "tests/tests/codec.rs", "a_key_that_stands_twice_is_refused"),
    (
        46,
        "tests/tests/matrix/complete.rs",
        "every_verb_is_in_the_matrix",
    ),
    (46, "tests/tests/leaks/main.rs", "on_mongodb"),
    (47, "tests/tests/leaks/main.rs", "on_mongodb"),
    (
        48,
        "tests/tests/wire/every/run.rs",
        "every_read_carries_the_tenant",
    ),
    (49, LITERAL, "a_policy_that_panics_denies"),
    (50, LITERAL, "the_new_state_is_asked_about"),
    (
        51,
        "tests/tests/conformance/update.rs",
        "a_lost_race_is_a_conflict",
    ),
    (
        52,
        "tests/tests/conformance/projection.rs",
        "a_projection_is_judged_and_redacted_as_the_model",
    ),
    (53, LIMITS, "a_missing_hash_takes_as_long_as_a_wrong_password"),
    (
        54,
        PASSWORDS,
        "costs_over_the_bounds_are_refused_without_being_computed",
    ),
    (54, "tests/tests/conformance/logins.rs", "what_asks_for_too_much"),
    (55, PASSWORDS, "old_algorithms_and_versions_verify_once"),
    (56, STORED, "swapped_hashes"),
    (57, PASSWORDS, "lengths"),
    (57, PASSWORDS, "composed_and_decomposed_are_the_same_password"),
    (
        58,
        LIMITS,
        "a_full_queue_and_a_long_wait_are_busy_and_nothing_leaks",
    ),
    (
        58,
        "tests/tests/attacks/logins.rs",
        "many_logins_at_once_take_what_they_may",
    ),
    (
        59,
        "tests/tests/conformance/logins.rs",
        "a_changed_password_stays",
    ),
    (60, "tests/ui/query/secrets-are-not-compared.rs", ""),
    (
        60,
        "tests/tests/conformance/tokens.rs",
        "a_digest_is_compared_and_unique",
    ),
];

/// None of them is lost: each number has a test, each test is there, and what is here is in the list.
#[test]
fn every_attack_is_made() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let made: BTreeSet<u32> = ATTACKS.iter().map(|(number, ..)| *number).collect();
    assert_eq!(made, (1..=60).collect());
    for (number, file, test) in ATTACKS {
        let text =
            fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{number}: {file}: {error}"));
        let found = test.is_empty() || text.contains(&format!("fn {test}("));
        assert!(found, "{number}: there is no `{test}` in {file}");
        if test.is_empty() {
            assert!(
                root.join(file).with_extension("stderr").exists(),
                "{number}: {file} compiles"
            );
        }
    }
    for entry in fs::read_dir(root.join(HERE)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let listed = ATTACKS
            .iter()
            .any(|(_, file, _)| **file == format!("{HERE}/{name}"));
        assert!(
            listed || ["main.rs", "child.rs"].contains(&&*name),
            "{name} is in no list"
        );
    }
}
