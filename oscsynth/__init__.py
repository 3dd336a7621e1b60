"""oscsynth: neural decoders trained on real sounds, played over OSC.

The map of the house, top to bottom; a module imports only from those below it.

====================  ====================================================================================================
``__main__``          the command line; ``check``, ``client``, ``doctor``, ``monitor`` do what it says, ``tables`` is what it lists;
                      ``demo`` plays the ``tour``, ``training_door`` leads to what trains
``daemon``            the parent: starts, supervises and stops the two processes; ``child`` is how it does so with one, ``recording_child``
                      with the recorder; ``screen``, ``keys`` and ``qr`` are its terminal, ``options`` what it was asked for, ``choices`` what is
                      kept of that
``control_process``   the one that hears; its ``librarian`` checks and loads what ``folder_watch`` sees saved, ``news`` goes to
                      the parent
``engine_process``    the one that sounds, a thread each: ``renderer`` for the device, ``loader`` for patches, ``engine_watch`` over both;
                      ``engine_input`` is what it listens to
``keeper``            takes up the session and keeps it, ``session`` is its file
``midi_door``         MIDI inputs on their way to the instrument, and what is learned on its way into the patches; ``midi_ports`` finds them,
                      ``midi_systems`` is what they belong to
``doors``             OSCQuery with the page, and the announcement, opened once it plays; ``atlas`` draws the page's maps
``layouts``           what a phone shows
``setlist``           the scenes of a show as a file
``render``            both of them without a clock: a score into a sound file
``tracks``            sound files that patches in resynthesis play, read and brought to the engine's rate
``control/``          bytes and addresses: OSC codec, address tree, server (asyncio)
``sound/``            arrays and samples: decoders, phase, overlap-add, engine
``audio/``            where samples go: PortAudio, a clock-paced null, a WAV file
``probe``             checks decoders in a process of their own
``library``           the folders: which patches and decoders there are
``patch_file``        one YAML file to one patch, every fault in one message: ``patch_faults`` is how each is said, ``patch_fit`` what its
                      decoder cannot do; ``patch_schema`` has the words, ``yaml_file`` the text, ``yaml_write`` changes it and keeps the comments
``timed_state``       what is in force at each sample
``schedule``          when things happen: a queue in order of time, and how clocks relate
``link``              how what changes crosses from control to engine
``parameters``        what can change: one table
``patch metadata``    what a patch is; what a decoder file says of itself; ``scene``: what all parts play
``units errors``      inverse pairs of conversions; a few error classes; ``lan``: this computer's addresses
``recorder``          what was heard, into a file, in a process of its own; ``studio`` is control's side of it, ``tap`` where the sound is;
                      ``analysis`` looks at it, for meters and spectrum
``real_time``         a place before all other programs, where the system gives one
====================  ====================================================================================================

``control`` knows no NumPy; ``sound`` knows no bytes, sockets, clock or YAML.
"""

__version__ = "0.1.0"
