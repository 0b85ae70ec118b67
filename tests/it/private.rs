//! Private by construction: nothing that Onset does opens a connection to anywhere.
//!
//! The system calls of a whole analysis and of a session with the window are written down,
//! and none of them may open a socket of the internet's families. Sockets to the display
//! and the desktop (`AF_UNIX`) never leave the computer.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/clip/sample.mp4");

/// Crates that speak to the network.
const SPEAKING: [&str; 10] = [
    "reqwest",
    "ureq",
    "hyper",
    "curl",
    "attohttpc",
    "isahc",
    "tungstenite",
    "quinn",
    "h2",
    "rustls",
];

/// `Cargo.lock` also names what optional features would need; the tree has what is built.
#[test]
fn no_crate_of_the_program_speaks_to_a_network() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "{said}");
    let tree = String::from_utf8_lossy(&tree.stdout);
    assert!(tree.lines().any(|l| l.starts_with("wgpu ")), "{tree}");
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let speaking = |line: &str| SPEAKING.contains(&name(line).as_str());
    let found: Vec<&str> = tree.lines().filter(|l| speaking(l)).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// Skips with a word; with `REQUIRE_TRACE=1`, as in CI, a missing tool is a failure.
fn without(tool: &str, why: &std::io::Error) {
    let required = std::env::var("REQUIRE_TRACE").is_ok_and(|v| v == "1");
    assert!(
        !required,
        "REQUIRE_TRACE=1, but {tool} does not start ({why})"
    );
    eprintln!("skipped: {tool} does not start ({why})");
}

/// Runs `onset` under `strace`; what it called of the network, and everything it printed.
/// `None`, with a word, where the system has no `strace` or forbids it.
fn traced(arguments: &[&str], display: Option<&str>, home: &Path) -> Option<String> {
    let log = home.join("calls.txt");
    let mut command = Command::new("strace");
    command
        .args(["--follow-forks", "--trace=%network", "--output"])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_onset"))
        .args(arguments)
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_DATA_HOME", home)
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("DISPLAY");
    if let Some(display) = display {
        command.env("DISPLAY", display);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(e) => {
            without("strace", &e);
            return None;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("ptrace") && said.contains("not permitted") {
        eprintln!("skipped: this system forbids tracing");
        return None;
    }
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{}: {said}",
        output.status
    );
    Some(std::fs::read_to_string(log).expect("strace wrote what it saw"))
}

fn leaves_the_computer(call: &str) -> bool {
    let of_a_socket = call.contains("AF_INET") || call.contains("AF_PACKET");
    of_a_socket || call.contains("AF_BLUETOOTH") || call.contains("AF_VSOCK")
}

fn assert_silent(calls: &str) {
    let loud: Vec<&str> = calls.lines().filter(|c| leaves_the_computer(c)).collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

#[test]
fn a_whole_analysis_opens_no_connection() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("results");
    let arguments = ["analyze", CLIP, "--out", out.to_str().unwrap()];
    let Some(calls) = traced(&arguments, None, home.path()) else {
        return;
    };
    assert!(out.join("sample/frames.csv").exists());
    assert_silent(&calls);
}

/// A display that nobody sees; it ends with the test.
struct Screen {
    server: Child,
    name: String,
}

impl Screen {
    fn open() -> Option<Self> {
        // The server says which number was free.
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1280x800x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .inspect_err(|e| without("Xvfb", e))
            .ok()?;
        let mut number = String::new();
        let mut told = std::io::BufReader::new(server.stdout.take()?);
        std::io::BufRead::read_line(&mut told, &mut number).ok()?;
        let name = format!(":{}", number.trim());
        Some(Self { server, name })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_session_with_the_window_opens_no_connection() {
    let Some(screen) = Screen::open() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let arguments = ["view", CLIP, "--measure", "4", "--play"];
    let Some(calls) = traced(&arguments, Some(&screen.name), home.path()) else {
        return;
    };
    // It did speak to the display: the trace is no empty one.
    assert!(calls.contains("AF_UNIX"), "{calls}");
    assert!(begun.elapsed() > Duration::from_secs(2), "it ended early");
    assert_silent(&calls);
}

#[test]
fn the_check_itself_would_see_a_connection() {
    let call = "1 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3";
    assert!(leaves_the_computer(call));
    assert!(!leaves_the_computer(
        "1 socket(AF_UNIX, SOCK_STREAM, 0) = 3"
    ));
}
