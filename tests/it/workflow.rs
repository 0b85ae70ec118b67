//! The Snakemake workflow with its local executor, where Snakemake is installed
//! (`ONSET_SNAKEMAKE`, or `snakemake` on the path).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn snakemake() -> Option<PathBuf> {
    let program =
        std::env::var_os("ONSET_SNAKEMAKE").map_or_else(|| "snakemake".into(), PathBuf::from);
    let works = Command::new(&program)
        .arg("--version")
        .output()
        .is_ok_and(|done| done.status.success());
    if !works {
        eprintln!("skipped: no snakemake (set ONSET_SNAKEMAKE, or put it on the path)");
        return None;
    }
    Some(program)
}

fn run(program: &Path, home: &Path) -> String {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = Command::new(program)
        .current_dir(home)
        .env("HOME", home)
        .arg("-s")
        .arg(repository.join("assets/workflow/Snakefile"))
        .args([
            "--configfile",
            "config.yaml",
            "--cores",
            "2",
            "--keep-going",
        ])
        .output()
        .expect("starts");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(done.status.success(), "{said}");
    said
}

/// Clips of three subjects, and two recordings that are folders of images without a
/// face, so that their analysis ends with warnings.
fn material(home: &Path) {
    fs::create_dir_all(home.join("flow/flows")).expect("made");
    let mut labels = String::from("clip,subject,dataset,label\n");
    for subject in 0..3_u8 {
        for label in 0..3_u8 {
            let clip = format!("c{subject}{label}");
            let picture = image::RgbImage::from_fn(28, 28, |x, y| {
                let bright = u8::try_from((x + y) % 7).unwrap_or(0);
                image::Rgb([bright * 30, label * 100, subject * 60 + bright])
            });
            picture
                .save(home.join(format!("flow/flows/{clip}.png")))
                .expect("saved");
            labels.push_str(&format!("{clip},s{subject},made,{label}\n"));
        }
    }
    fs::write(home.join("flow/labels.csv"), labels).expect("written");
    for name in ["film one", "two"] {
        let folder = home.join("frames").join(name);
        fs::create_dir_all(&folder).expect("made");
        for n in 0..12 {
            image::GrayImage::from_pixel(64, 48, image::Luma([90 + n]))
                .save(folder.join(format!("f{n:02}.png")))
                .expect("saved");
        }
    }
    fs::write(
        home.join("list.txt"),
        "# recordings\nframes/film one\nframes/two\n",
    )
    .expect("written");
    fs::write(
        home.join("config.yaml"),
        format!(
            "onset: '{}'\nresults: out\n\
             evaluation:\n  data: flow\n  options: --seed 1 --epochs 1 --device cpu\n\
             archive:\n  inputs: list.txt\n  options: --fps 30\n",
            env!("CARGO_BIN_EXE_onset")
        ),
    )
    .expect("written");
}

#[test]
fn the_workflow_runs_folds_and_archives_and_does_nothing_twice() {
    let Some(program) = snakemake() else {
        return;
    };
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    material(home);
    run(&program, home);
    let report = fs::read_to_string(home.join("out/report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("json");
    let clips: u64 = report["confusion"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|row| row.as_array().into_iter().flatten())
        .filter_map(serde_json::Value::as_u64)
        .sum();
    assert_eq!(clips, 9, "{report}");
    for fold in 0..3 {
        assert!(
            home.join(format!("out/folds/fold-{fold:04}.json"))
                .is_file()
        );
    }
    assert!(
        home.join("out/recordings/frames/film one/recording.json")
            .is_file()
    );
    let table = fs::read_to_string(home.join("out/archive.csv")).expect("a table");
    assert!(
        table.starts_with("recording,kind,onset,apex,offset,"),
        "{table}"
    );

    // A fold that is lost is made again, the others are not.
    assert!(run(&program, home).contains("Nothing to be done"));
    let kept = fs::metadata(home.join("out/folds/fold-0000.json"))
        .and_then(|m| m.modified())
        .expect("its time");
    fs::remove_file(home.join("out/folds/fold-0001.json")).expect("removed");
    run(&program, home);
    assert!(home.join("out/folds/fold-0001.json").is_file());
    let now = fs::metadata(home.join("out/folds/fold-0000.json"))
        .and_then(|m| m.modified())
        .expect("its time");
    assert_eq!(now, kept);
}
