//! What the header says of the video and of the file itself.

use std::path::{Component, Path};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::Timestamp;

/// Where things lie and when the file is written.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The video, by its absolute path; `None` for a folder of images, which ELAN does
    /// not play, and for cameras.
    pub media: Option<&'a Path>,
    /// The folder the `.eaf` will stand in, by its absolute path.
    pub folder: Option<&'a Path>,
    pub written: SystemTime,
}

/// A file's place as an URL, as ELAN names media: `file:///home/a%20b.mp4`.
pub(super) fn file_url(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    let lead = if path.starts_with("//") {
        // A network share: the server is the URL's host.
        "file:"
    } else if path.starts_with('/') {
        "file://"
    } else {
        "file:///"
    };
    format!("{lead}{}", percent_encoded(&path))
}

fn percent_encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/:-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// ELAN chooses its player by this.
pub(super) fn mime_type(media: &Path) -> &'static str {
    let ending = media.extension().unwrap_or_default().to_string_lossy();
    match ending.to_ascii_lowercase().as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mpg" | "mpeg" => "video/mpeg",
        "mov" | "qt" => "video/quicktime",
        "wav" => "audio/x-wav",
        _ => "video/*",
    }
}

/// From the folder of the `.eaf` to the video, `./clip.mp4` beside it.
pub(super) fn relative_url(media: &Path, folder: Option<&Path>) -> String {
    let beside = || {
        let name = media.file_name().unwrap_or_default();
        format!("./{}", percent_encoded(&name.to_string_lossy()))
    };
    let Some(folder) = folder else {
        return beside();
    };
    let (to, from): (Vec<Component>, Vec<Component>) =
        (media.components().collect(), folder.components().collect());
    let shared = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
    if shared == 0 {
        return beside();
    }
    let up = "../".repeat(from.len() - shared);
    let lead = if up.is_empty() { "./" } else { up.as_str() };
    let names: Vec<String> = to[shared..]
        .iter()
        .map(|part| percent_encoded(&part.as_os_str().to_string_lossy()))
        .collect();
    format!("{lead}{}", names.join("/"))
}

/// `2026-11-20T09:05:00Z`.
pub(super) fn date_time(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos() as i64);
    let time = Timestamp::from_nanos(nanos);
    let of_day = time.nanos() / 1_000_000_000 % 86_400;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", time.date())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_written_as_the_schema_wants() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_795_165_500, "2026-11-20T09:05:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(date_time(UNIX_EPOCH + Duration::from_secs(secs)), text);
        }
    }

    #[test]
    fn places_become_urls() {
        for (path, url) in [
            (
                "/data/Änne & co/clip 1%.mp4",
                "file:///data/%C3%84nne%20%26%20co/clip%201%25.mp4",
            ),
            ("C:\\a b\\c#1.avi", "file:///C:/a%20b/c%231.avi"),
            ("\\\\server\\share\\x.mov", "file://server/share/x.mov"),
        ] {
            assert_eq!(file_url(Path::new(path)), url);
        }
    }

    #[test]
    fn the_video_is_found_from_the_folder_of_the_file() {
        let media = Path::new("/data/clips/a b.mp4");
        for (folder, url) in [
            ("/data/clips", "./a%20b.mp4"),
            ("/data", "./clips/a%20b.mp4"),
            ("/data/out/x", "../../clips/a%20b.mp4"),
        ] {
            assert_eq!(relative_url(media, Some(Path::new(folder))), url);
        }
        assert_eq!(relative_url(media, None), "./a%20b.mp4");
    }
}
