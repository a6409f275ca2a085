//! Lines as agents write them, and lines that try to look like something else.

use reeve_domain::operation::{Effect, ShellExec, Subject};

use super::classify;

fn read(command: &str) -> ShellExec {
    match classify(command, "/home/dana/src/api").subject {
        Subject::Shell(line) => line,
        _ => panic!("no command"),
    }
}

fn effects(command: &str) -> Vec<Vec<Effect>> {
    read(command).pieces.into_iter().map(|piece| piece.effects).collect()
}

#[test]
fn every_program_of_a_line_is_told_apart() {
    let line = read("cd api && git status | head -3; npm test &\nls > /dev/null 2>&1");
    assert_eq!(line.programs(), ["cd", "git", "head", "npm", "ls"]);
    assert!(line.understood);
    let quoted = read("grep -n 'a && rm -rf /' \"file name\" x\\ y");
    assert_eq!(quoted.programs(), ["grep"]);
    assert_eq!(quoted.pieces[0].argv, ["-n", "a && rm -rf /", "file name", "x y"]);
    assert!(quoted.only_reads());
}

#[test]
fn what_may_run_something_else_is_not_understood() {
    for command in [
        "echo $(rm -rf ~)",
        "echo `id`",
        "ls $HOME",
        "(cd x; rm y)",
        "for f in a b; do rm $f; done",
        "if true; then rm x; fi",
        "PATH=. ls",
        "cat <<EOF\nrm x\nEOF",
        "diff <(ls a) <(ls b)",
        "echo \"$(id)\"",
        "echo 'never closed",
        "> emptied",
        "",
        "# only a comment",
    ] {
        let line = read(command);
        assert!(!line.understood && !line.only_reads(), "{command}");
    }
}

#[test]
fn a_forced_push_and_a_folder_that_goes_are_seen_through_their_spellings() {
    for command in [
        "git push --force origin main",
        "git push -f",
        "git push origin +main",
        "git push --force-with-lease=main origin",
        "git push -uf origin main",
    ] {
        assert!(effects(command)[0].contains(&Effect::RewritesHistory), "{command}");
        assert!(effects(command)[0].contains(&Effect::Pushes), "{command}");
    }
    assert!(!effects("git push origin main")[0].contains(&Effect::RewritesHistory));
    for command in
        ["rm -rf x", "rm -r -f x", "rm --recursive x", "/bin/rm -fR x", "find . -name x -delete", "git clean -fdx"]
    {
        assert!(effects(command)[0].contains(&Effect::DeletesTree), "{command}");
    }
    assert_eq!(effects("rm x"), [[Effect::Deletes]]);
    assert_eq!(read("rm -rf ~/src node_modules").pieces[0].touches, ["~/src", "node_modules"]);
}

#[test]
fn programs_that_run_others_and_options_that_lead_elsewhere_never_read() {
    for command in [
        "env ls",
        "xargs rm",
        "sh -c ls",
        "find . -exec rm {} +",
        "git -c core.pager=x log",
        "sort -o x y",
        "git diff --output=x",
        "./ls",
        "/tmp/evil/git status",
    ] {
        assert!(!read(command).only_reads(), "{command}");
    }
    for command in
        ["ls -la", "git log --oneline -5", "find . -name '*.rs'", "cat a | grep b | wc -l", "git status && git diff"]
    {
        assert!(read(command).only_reads(), "{command}");
    }
    assert!(!read("echo x > file").only_reads());
    assert_eq!(read("echo x >> notes.md").pieces[0].touches, ["notes.md"]);
}

#[test]
fn hosts_are_read_from_addresses_and_remotes() {
    assert_eq!(read("curl -s https://User@API.example.com:8443/x?y").pieces[0].hosts, ["api.example.com"]);
    assert_eq!(read("scp a git@github.com:acme/api.git").pieces[0].hosts, ["github.com"]);
    assert!(read("docker run -p 80:80 x").pieces[0].hosts.is_empty());
}

#[test]
fn what_looks_like_a_secret_is_in_the_hash_alone() {
    let secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let told = classify(&format!("curl -H 'Authorization: token {secret}' https://api.github.com"), "/");
    let Subject::Shell(line) = &told.subject else { panic!("no command") };
    let all = format!("{}{}{}", serde_json::to_string(line).unwrap(), told.view, told.summary);
    assert!(!all.contains(secret) && all.contains("(redacted"), "{all}");
    assert!(!line.is_whole);
    let other = classify("curl -H 'Authorization: token other' https://api.github.com", "/");
    assert_ne!(told.content, other.content);
    assert_eq!(read("mysql --password hunter2").pieces[0].argv, ["--password", "(redacted)"]);
}

#[test]
fn a_line_that_is_too_long_is_cut_and_not_understood() {
    let line = read(&format!("echo {}", "ä".repeat(20_000)));
    assert!(!line.is_whole && !line.understood && line.command.len() <= 16 * 1024);
    let many = read(&"ls;".repeat(100));
    assert!(many.pieces.len() == 64 && !many.understood);
}
