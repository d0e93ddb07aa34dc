//! The harness of the tests that cross the pieces. What a test asserts is in tests/; what it needs for that is here.
