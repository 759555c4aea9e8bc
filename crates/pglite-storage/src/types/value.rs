//! A value that keeps alive the memory it points into (a memtable's arena, a cached block).
#![allow(unsafe_code)]

use super::{Any, Arc, Deref, fmt};

/// A cheap, refcounted slice of bytes.
#[derive(Clone)]
pub struct Value {
    data: *const u8,
    len: usize,
    _owner: Arc<dyn Any + Send + Sync>,
}

// SAFETY: `data` points to immutable bytes owned by `_owner`, which is itself Send and Sync.
unsafe impl Send for Value {}
// SAFETY: as above; only shared reads happen.
unsafe impl Sync for Value {}

impl Value {
    /// A slice inside `owner`'s memory.
    ///
    /// # Safety
    /// `data` must stay valid and unchanged for as long as `owner` lives.
    pub(crate) unsafe fn inside(data: &[u8], owner: Arc<dyn Any + Send + Sync>) -> Value {
        Value { data: data.as_ptr(), len: data.len(), _owner: owner }
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        let owner = Arc::new(bytes);
        Value { data: owner.as_ptr(), len: owner.len(), _owner: owner }
    }
}

impl Deref for Value {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: by construction the slice lives as long as `_owner`, which we hold.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq<[u8]> for Value {
    fn eq(&self, other: &[u8]) -> bool {
        **self == *other
    }
}
