//! What every report of `onset bench` begins with: which program measured, and where.

use serde::Serialize;

use crate::cli::Failure;
use crate::cli::print::say;
use crate::session::device::processor_name;

#[derive(Debug, Serialize)]
pub(super) struct Head {
    onset_version: &'static str,
    processor: String,
    threads: usize,
    /// Its name, or why there is none.
    adapter: String,
    /// Why the adapter has no rows; `None` where it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    adapter_left_out: Option<&'static str>,
}

impl Head {
    /// On all threads of the processor.
    pub(super) fn new(adapter: String, adapter_left_out: Option<&'static str>) -> Self {
        let threads = std::thread::available_parallelism();
        Self {
            onset_version: env!("CARGO_PKG_VERSION"),
            processor: processor_name(),
            threads: threads.map_or(1, std::num::NonZero::get),
            adapter,
            adapter_left_out,
        }
    }

    pub(super) fn with_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// The first line of a table.
    pub(super) fn print(&self) -> Result<(), Failure> {
        say!(
            "onset {} on {} ({} threads), adapter {}",
            self.onset_version,
            self.processor,
            self.threads,
            self.adapter
        );
        Ok(())
    }

    /// Above rows among which the adapter's would stand.
    pub(super) fn print_what_is_left_out(&self) -> Result<(), Failure> {
        if let Some(why) = self.adapter_left_out {
            say!("the adapter is not measured: {why}");
        }
        Ok(())
    }
}

/// Letters that the column of these devices needs under its name, "where".
pub(super) fn width_of<'a>(devices: impl Iterator<Item = &'a String>) -> usize {
    let widest = devices.map(|device| device.chars().count()).max();
    widest.unwrap_or(0).max("where".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_begins_with_the_program_and_leaves_out_what_there_is_not() {
        #[derive(Serialize)]
        struct Report {
            #[serde(flatten)]
            head: Head,
            rows: Vec<u8>,
        }
        let written = |left_out| {
            let head = Head::new("a card".into(), left_out).with_threads(3);
            serde_json::to_string(&Report { head, rows: vec![] }).unwrap()
        };
        let all = written(Some("there is none"));
        assert!(all.starts_with("{\"onset_version\":"), "{all}");
        let last = "\"threads\":3,\"adapter\":\"a card\",\"adapter_left_out\":\"there is none\",\"rows\":[]}";
        assert!(all.ends_with(last), "{all}");
        assert!(written(None).ends_with("\"adapter\":\"a card\",\"rows\":[]}"));
    }

    #[test]
    fn the_column_of_devices_is_as_wide_as_its_widest_entry() {
        assert_eq!(width_of([].iter()), 5);
        let devices = ["CPU".to_owned(), "NVIDIA".to_owned()];
        assert_eq!(width_of(devices.iter()), 6);
    }
}
