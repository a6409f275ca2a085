//! The demo as people meet it first, without a display.

use reeve_testkit::redactions::redact;
use reeve_testkit::world::World;
use reeve_tests::stage::reeve;

#[test]
fn the_headless_demo_shows_all_nine_acts_and_proves_its_chain() {
    let world = World::new().unwrap();
    let out = world.command(reeve().unwrap()).args(["demo", "--headless"]).env_remove("REEVE_HOME").output().unwrap();
    let text = redact(&String::from_utf8_lossy(&out.stdout)).unwrap();
    assert!(out.status.success(), "{text}\n{}", String::from_utf8_lossy(&out.stderr));
    let story = [
        "stand-in for the human",
        "1. asking",
        "seat belt",
        "2. asking api.acme.example",
        "3. sending notes to paste.example",
        "refused (403)",
        "4. deleting",
        "5. sending",
        "refused (402)",
        "6. which tools",
        "approved them as they are",
        "7. a discount",
        "{\"updated\":13}",
        "8. the same",
        "it would change 5000 rows, and 100 are allowed",
        "9. one mail",
        "{\"sent_today\":1}\n   the tool says: {\"sent_today\":1}",
        "ended with exit code 0",
        "the chain verifies",
    ];
    let mut rest = text.as_str();
    for part in story {
        let at = rest.find(part).unwrap_or_else(|| panic!("`{part}` is missing or out of order in:\n{text}"));
        rest = &rest[at..];
    }
    assert!(!text.contains("demo-secret-opens-nothing"), "the secret is shown:\n{text}");
}
