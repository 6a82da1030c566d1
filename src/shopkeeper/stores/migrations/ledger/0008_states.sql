-- Who is of a state is listed from the most valuable on and counted: without it the whole of a run is gone through.
CREATE INDEX prediction_state ON prediction (run, state, clv, customer);
