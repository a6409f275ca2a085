//! What a person sets in the window: in the file, with its comments, and in force at once; nothing where it cannot be.

use reeve_domain::settings::{Mode, Preset};
use reeve_engine::presence::Person;
use reeve_engine::settings::{Notifications, SettingsEdit};

use super::{admitted, denied};
use crate::FORBID_PASTE;
use crate::world::{World, dana};

const OLD: &str = "# mine\n[hold]\nllm_seconds = 90\n";

const PASSPHRASE: &str = "correct horse";

fn proven() -> Person {
    dana(Some(PASSPHRASE))
}

async fn guarded(world: World) -> World {
    world.engine.presence().set(PASSPHRASE.to_owned().into(), &dana(None)).await.unwrap();
    world
}

fn edit() -> SettingsEdit {
    SettingsEdit::default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_holds_at_once_and_stands_in_the_file() {
    let world = guarded(World::with("policies/mine.cedar", FORBID_PASTE).await).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, OLD).unwrap();
    let live = world.session("claude-code").await;
    let call = || world.http(&live, "GET", "paste.example", "/");
    denied(world.gate().admit(call(), serde_json::Value::Null).await);
    world
        .engine
        .change_settings(&file, &SettingsEdit { mode: Some(Mode::Observe), ..edit() }, &proven())
        .await
        .unwrap();
    drop(admitted(world.gate().admit(call(), serde_json::Value::Null).await));
    world
        .engine
        .change_settings(&file, &SettingsEdit { mode: Some(Mode::Enforce), ..edit() }, &proven())
        .await
        .unwrap();
    denied(world.gate().admit(call(), serde_json::Value::Null).await);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("# mine") && text.contains("mode = \"enforce\"") && text.contains("llm_seconds = 90"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_and_notifications_hold_at_once() {
    let world = guarded(World::new().await).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let before = world.engine.policies().in_force().set.revision().to_owned();
    let quiet = Notifications { waiting: false, ..Notifications::default() };
    let change = SettingsEdit { preset: Some(Preset::Strict), notifications: Some(quiet), ..edit() };
    world.engine.change_settings(&file, &change, &proven()).await.unwrap();
    assert_eq!(world.engine.policies().preset(), Preset::Strict);
    assert_ne!(world.engine.policies().in_force().set.revision(), before);
    assert_eq!(world.engine.notifications(), quiet);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_load_changes_nothing() {
    let world = guarded(World::new().await).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "mode = \"obs").unwrap();
    let change = SettingsEdit { mode: Some(Mode::Observe), preset: Some(Preset::Strict), ..edit() };
    assert!(world.engine.change_settings(&file, &change, &proven()).await.is_err());
    assert_eq!(world.engine.protection().configured(), Mode::Enforce);
    assert_eq!(world.engine.policies().preset(), Preset::Balanced);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mode = \"obs");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_neither_in_force_nor_recorded() {
    let world = guarded(World::new().await).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    // What is written first, beside it, cannot be: not even by an administrator.
    std::fs::create_dir(folder.path().join(format!("config.tmp-{}", std::process::id()))).unwrap();
    let change = SettingsEdit { mode: Some(Mode::Observe), preset: Some(Preset::Strict), ..edit() };
    let before = world.engine.policies().in_force().set.revision().to_owned();
    assert!(world.engine.change_settings(&file, &change, &proven()).await.is_err());
    assert_eq!(world.engine.policies().preset(), Preset::Balanced);
    assert_eq!(world.engine.policies().in_force().set.revision(), before);
    assert_eq!(world.engine.protection().configured(), Mode::Enforce);
    assert!(!file.exists());
}
