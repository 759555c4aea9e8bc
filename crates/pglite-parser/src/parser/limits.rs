//! Bounds on nesting: the stack the parser itself may use, and the height of the trees it builds.
//!
//! Why two: a parenthesis costs stack here but no node; `a + a + a ...` costs nodes (one level each) but no
//! stack here - and whoever walks, copies or drops the tree recurses over it.

use pglite_error::{PgError, PgResult, codes};

use crate::parser::Parser;

/// The greatest height of a tree.
const MAX_HEIGHT: u32 = 2_000;

/// An address in the current stack frame.
#[inline(always)]
pub(in crate::parser) fn stack_position() -> usize {
    let here = 0u8;
    std::ptr::from_ref(&here).addr()
}

#[cold]
pub(in crate::parser) fn too_deep() -> PgError {
    PgError::new(codes::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
        "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.",
    )
}

impl Parser<'_> {
    /// Raises 54001 if the recursion has used up its share of the stack. Every recursive production calls it.
    #[inline]
    pub(in crate::parser) fn check_stack(&self) -> PgResult<()> {
        if self.stack_base.abs_diff(stack_position()) > self.stack_limit { Err(too_deep()) } else { Ok(()) }
    }

    /// Starts measuring the height of a subtree; give the result to [`end_height`](Self::end_height).
    #[inline]
    pub(in crate::parser) fn begin_height(&mut self) -> u32 {
        std::mem::take(&mut self.height)
    }

    /// One more level above all that was parsed since `begin_height`.
    #[inline]
    pub(in crate::parser) fn add_level(&mut self) -> PgResult<()> {
        self.height += 1;
        if self.height > MAX_HEIGHT { Err(too_deep()) } else { Ok(()) }
    }

    /// Ends measuring: what was parsed is one child of the enclosing node.
    #[inline]
    pub(in crate::parser) fn end_height(&mut self, outer: u32) {
        self.height = self.height.max(outer);
    }
}
