//! The search for the record that kills: which beginnings of the log to try. Must not know how.

/// Halves what is left until the shortest beginning that dies is known. All of it is known to die.
#[derive(Debug)]
pub struct Search {
    /// The longest beginning known to survive, in records; `None` before one is.
    survives: Option<usize>,
    /// The shortest known to die.
    dies: usize,
}

impl Search {
    /// Over this many records.
    pub fn new(records: usize) -> Search {
        Search {
            survives: None,
            dies: records,
        }
    }

    /// How many records to try next; `None` when it is known.
    pub fn next(&self) -> Option<usize> {
        match self.survives {
            // First without any record: then it is the snapshot, whatever stands behind it.
            None if self.dies > 0 => Some(0),
            None => None,
            Some(survives) if self.dies - survives > 1 => {
                Some(survives + (self.dies - survives) / 2)
            }
            Some(_) => None,
        }
    }

    /// A beginning of this length survives.
    pub fn survived(&mut self, records: usize) {
        self.survives = self.survives.max(Some(records));
    }

    /// A beginning of this length dies.
    pub fn died(&mut self, records: usize) {
        self.dies = self.dies.min(records);
    }

    /// The index of the record that kills; `None` when it is none of them.
    pub fn last(&self) -> Option<usize> {
        self.dies.checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which record is found when this one kills (`None`: the snapshot), and after how many tries.
    fn find(records: usize, culprit: Option<usize>) -> (Option<usize>, usize) {
        let mut search = Search::new(records);
        let mut tries = 0;
        while let Some(length) = search.next() {
            tries += 1;
            match culprit {
                Some(index) if length <= index => search.survived(length),
                _ => search.died(length),
            }
        }
        (search.last(), tries)
    }

    #[test]
    fn every_culprit_is_found_in_a_few_tries() {
        for records in [1, 2, 3, 7, 64, 1000] {
            for culprit in 0..records {
                let (found, tries) = find(records, Some(culprit));
                assert_eq!(found, Some(culprit), "of {records}");
                assert!(tries <= 11, "{tries} tries for {culprit} of {records}");
            }
        }
        assert_eq!(find(1000, None), (None, 1));
        assert_eq!(find(0, None), (None, 0));
    }
}
