//! The tables of the tree at one time.

use crate::manifest::{Edit, LEVELS};
use crate::table::Table;
use std::sync::Arc;

/// Tables by level: level 0 newest first, deeper levels in key order without overlap.
#[derive(Default)]
pub(super) struct Version {
    pub(super) levels: [Vec<Arc<Table>>; LEVELS],
}

impl Version {
    pub(super) fn new(mut levels: [Vec<Arc<Table>>; LEVELS]) -> Version {
        for (level, tables) in levels.iter_mut().enumerate() {
            if level == 0 {
                tables.sort_by(|a, b| b.meta.max_ts.cmp(&a.meta.max_ts).then(b.meta.id.cmp(&a.meta.id)));
            } else {
                tables.sort_by(|a, b| a.meta.smallest.cmp(&b.meta.smallest));
                debug_assert!(tables.windows(2).all(|pair| pair[0].meta.ends_before(&pair[1].meta.smallest)));
            }
        }
        Version { levels }
    }

    /// This version after an edit; `opened` holds the added tables.
    pub(super) fn edited(&self, edit: &Edit, opened: &[Arc<Table>]) -> Version {
        let mut levels = self.levels.clone();
        for (level, id) in &edit.removed {
            levels[*level].retain(|table| table.meta.id != *id);
        }
        for ((level, _), table) in edit.added.iter().zip(opened) {
            levels[*level].push(table.clone());
        }
        Version::new(levels)
    }

    pub(super) fn bytes(&self, level: usize) -> u64 {
        self.levels[level].iter().map(|table| table.meta.size).sum()
    }

    /// Whether a level deeper than `level` may hold something in `start..=end`.
    pub(super) fn deeper_overlap(&self, level: usize, start: &[u8], end: &[u8]) -> bool {
        self.levels[level + 1..]
            .iter()
            .flatten()
            .any(|table| !table.meta.ends_before(start) && *table.meta.smallest <= *end)
    }
}
