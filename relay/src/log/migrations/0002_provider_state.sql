-- Where a run can be taken up again at its provider's, after a restart. With the run's end it goes.
ALTER TABLE messages ADD COLUMN provider_state TEXT;
