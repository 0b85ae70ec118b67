//! Attention held to the truth: the studio's clips, what is measured of them, and the
//! command.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;

use onset::motion::tvl1::Tvl1Preset;
use onset::nn::NnDevice;
use onset::recognition::FaceReader;
use onset::training::expressions::attention::{AttentionError, Clips, MapKind, film, look};
use onset::training::expressions::attention_report::{AttentionReport, Setting};
use onset::training::synthesis::Recipe;

use crate::cli::{Ran, onset, text};

/// Strong expressions, in small pictures.
fn recipe() -> Recipe {
    let mut recipe = Recipe::parse(Recipe::TEST_1).unwrap();
    (recipe.width, recipe.height) = (320, 240);
    recipe.framing.eye_distance = [0.22, 0.25];
    recipe.expressions.micro_share = 0.0;
    recipe.expressions.macro_.peak_px = [4.0, 8.0];
    recipe.recordings = 8;
    recipe
}

fn filmed(count: usize) -> Result<Clips, AttentionError> {
    film(&recipe(), (count, 1), Tvl1Preset::Preview, |_| {})
}

#[test]
fn attention_lies_where_strong_expressions_moved_the_face_more_than_chance_has_it() {
    let clips = filmed(4).unwrap();
    assert_eq!(clips.clips.len() + clips.left_out.len(), 4);
    assert!(clips.clips.len() >= 3, "{:?}", clips.left_out);
    let reader = FaceReader::load(None, &NnDevice::flex()).unwrap();
    let looked = look(&reader, &clips.clips).unwrap();
    let setting = Setting {
        recipe: String::new(),
        seed: 1,
        weights: String::new(),
        weights_sha256: String::new(),
    };
    let report = AttentionReport::new(setting, &clips, &looked);
    let all = &report.parts[0];
    assert_eq!(all.clips, clips.clips.len());
    let of = |kind: MapKind| all.maps.iter().find(|m| m.map == kind.name()).unwrap();
    let (shown, by_place) = (of(MapKind::Shown), of(MapKind::ByPlace));
    for map in &all.maps {
        let share = map.share;
        assert!(0.0 <= share.lowest && share.highest <= 1.0, "{map:?}");
        assert!(share.lowest <= share.median && share.median <= share.highest);
    }
    // Measured: 0.94 as shown, 0.56 by place, 0.55 of another, 0.35 of the face moved.
    assert!(shown.share.mean > 0.7, "{all:?}");
    assert!(shown.share.mean > by_place.share.mean, "{all:?}");
    assert!(shown.share.mean > shown.of_another, "{all:?}");
    assert!(shown.share.mean > 2.0 * all.moved.mean, "{all:?}");
    // Where it points is what the network used.
    assert!(shown.logit_lost > by_place.logit_lost, "{all:?}");
    assert!(report.table().contains("as shown"));
    for row in &report.clips {
        assert!(row.moved > 0.0 && row.moved < 1.0, "{row:?}");
    }
}

#[test]
fn a_recipe_of_too_few_expressions_is_refused() {
    let error = filmed(9).unwrap_err();
    assert!(matches!(error, AttentionError::Few { asked: 9, there } if there < 9));
}

#[test]
fn cli_attention_is_evaluated_and_errors_say_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("recipe.toml");
    fs::write(&path, recipe().to_text().unwrap()).unwrap();
    let evaluate = |more: &[&str]| {
        let mut args = vec!["evaluate", "attention", "--recipe", text(&path)];
        args.extend(["--preset", "preview", "--quiet"]);
        args.extend(more);
        Ran::of(&mut onset(&args))
    };
    let report = home.path().join("attention.json");
    let ran = evaluate(&["--clips", "2", "--json", "--out", text(&report)]).ends(0);
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    assert_eq!(told, kept);
    assert_eq!(told["clips"].as_array().unwrap().len(), 2);
    assert_eq!(told["weights"], "au-flow-2");
    evaluate(&["--clips", "60"])
        .ends(2)
        .says(&["60 clips were asked for", "recipe of more"], "recordings");
    evaluate(&["--out", text(&path)])
        .ends(2)
        .says(&["would replace what it is made from"], text(&path));
    let weights = Path::new("ststnet-1");
    evaluate(&["--weights", text(weights)])
        .ends(2)
        .says(&["au-flow"], "ststnet-1");
}
