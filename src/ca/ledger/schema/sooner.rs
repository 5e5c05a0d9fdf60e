//! The fifth version of the schema: a revocation may be as of an earlier time than it was.

/// A revocation may be moved to an earlier time: one that a clock ahead of time had recorded is still to come.
pub(super) const SOONER: &str = "
DROP TRIGGER IF EXISTS revocations_stay;

-- A real revocation stays, unless a compromise is told of one that told of none, or it is as of an earlier time: no later than
-- before, and not to be trusted since no later. Only a hold (6) may be lifted or become one. What is unknown (NULL) is neither.
CREATE TRIGGER revocations_stay BEFORE UPDATE OF revoked_at, reason, invalid_since ON certificates
    WHEN OLD.reason <> 6 AND (NEW.revoked_at <= OLD.revoked_at
        AND (OLD.invalid_since IS NULL OR NEW.invalid_since <= OLD.invalid_since)
        AND ((OLD.reason NOT IN (1, 2, 10) AND NEW.reason IN (1, 2, 10))
            OR (NEW.reason = OLD.reason AND NEW.revoked_at < OLD.revoked_at))) IS NOT TRUE
    BEGIN SELECT RAISE(ABORT, 'a revocation is never undone'); END;
";
