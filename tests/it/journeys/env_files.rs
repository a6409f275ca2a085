//! Keys out of an environment file: shown by name, taken by choice, replaced by placeholders, with a copy out of the project.

use reeve_api::contract::calls::CredentialsCall;
use reeve_api::contract::credentials::TypedSecret;
use reeve_api::contract::env_files::{
    EnvFileDto, EnvFileInput, ImportInput, ImportLineInput, ImportedDto, KeepingDto, SecretsStoreDto,
};
use reeve_tests::stage::{Setting, Stage};

const OPENAI: &str = "sk-proj-journey-0123456789abcdef";
const OTHER: &str = "an-own-value-0123456789";

fn text() -> String {
    format!("# mine\nOPENAI_API_KEY={OPENAI}\nPORT=8080\nSERVICE_TOKEN=\"{OTHER}\"\n")
}

fn line(line: u32, variable: &str, id: &str, kind: Option<&str>) -> ImportLineInput {
    ImportLineInput {
        line,
        variable: variable.to_owned(),
        id: id.to_owned(),
        kind: kind.map(str::to_owned),
        binding: None,
    }
}

#[tokio::test]
async fn lines_that_look_like_keys_come_back_by_name_and_their_values_never() {
    let stage = Stage::set(Setting::default()).await.unwrap();
    let from = EnvFileInput { path: None, text: Some(TypedSecret(text())) };
    let answer: serde_json::Value = stage.client().call(&CredentialsCall::Scan(from)).await.unwrap();
    assert!(!answer.to_string().contains(OPENAI) && !answer.to_string().contains(OTHER));
    let found: EnvFileDto = serde_json::from_value(answer).unwrap();
    let seen: Vec<_> = found.lines.iter().map(|l| (l.line, l.id.as_str(), l.kind.as_deref())).collect();
    assert_eq!(seen, [(2, "openai", Some("openai")), (4, "service-token", None)]);
    let both = EnvFileInput { path: Some("/x".to_owned()), text: Some(TypedSecret(String::new())) };
    assert!(stage.client().call::<EnvFileDto>(&CredentialsCall::Scan(both)).await.is_err());
    let folder = EnvFileInput { path: Some("/".to_owned()), text: None };
    assert!(stage.client().call::<EnvFileDto>(&CredentialsCall::Scan(folder)).await.is_err());
}

#[tokio::test]
async fn what_is_chosen_goes_to_the_vault_and_the_file_gets_placeholders_with_a_copy_elsewhere() {
    let stage = Stage::set(Setting::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    let shared = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(shared.path().join("mine.env"), &path).unwrap();
    std::fs::write(&path, text()).unwrap();
    let from = || EnvFileInput { path: Some(path.display().to_string()), text: None };
    let changed = ImportInput { from: from(), chosen: vec![line(3, "OPENAI_API_KEY", "gone", None)], replace: true };
    assert!(stage.client().call::<ImportedDto>(&CredentialsCall::Import(changed)).await.is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text(), "nothing was taken, nothing was changed");

    let chosen = vec![line(2, "OPENAI_API_KEY", "from-file", Some("openai"))];
    let import = CredentialsCall::Import(ImportInput { from: from(), chosen, replace: true });
    let done: ImportedDto = stage.client().call(&import).await.unwrap();
    assert_eq!(done.added, ["from-file"]);
    let taken = done.credentials.iter().find(|c| c.id == "from-file").unwrap();
    assert_eq!(taken.variables, ["OPENAI_API_KEY"]);
    let now = std::fs::read_to_string(&path).unwrap();
    assert_eq!(now, text().replace(OPENAI, &taken.placeholder));
    let backup = done.backup.unwrap();
    assert_eq!(std::fs::read_to_string(&backup).unwrap(), text());
    let left = std::fs::read_dir(folder.path()).unwrap().chain(std::fs::read_dir(shared.path()).unwrap());
    for left in left {
        let held = std::fs::read_to_string(left.unwrap().path()).unwrap();
        assert!(!held.contains(OPENAI), "no key stays where an agent works");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert!(path.is_symlink(), "a link stays a link");
        let backup = std::path::Path::new(&backup);
        assert_eq!(backup.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(backup.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    // The same again finds the placeholder and takes it for no key.
    let again: EnvFileDto = stage.client().call(&CredentialsCall::Scan(from())).await.unwrap();
    assert!(again.lines.iter().all(|line| line.variable != "OPENAI_API_KEY"));
    let keeping: KeepingDto = stage.client().call(&CredentialsCall::Keeping).await.unwrap();
    assert!(keeping.problem.is_none() && keeping.store == SecretsStoreDto::Memory);
}
