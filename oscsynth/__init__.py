"""oscsynth: neural decoders trained on real sounds, played over OSC.

The map of the house, top to bottom; a module imports only from those below it.

==================  =========================================================================
``__main__``        the command line
``daemon``          builds, starts, supervises and stops the processes
``control/``        bytes and addresses: OSC codec, address tree, server (asyncio)
``sound/``          arrays and samples: decoders, phase, overlap-add, engine
``audio/``          where samples go: PortAudio, a clock-paced null, a WAV file
``library``         the folders: which patches and decoders there are
``patch``           one YAML file to one frozen dataclass, every fault in one message
``link``            how what changes crosses from control to engine
``parameters``      what can change: one table
``metadata``        what a decoder file says of itself
``units errors``    inverse pairs of conversions; a few error classes
==================  =========================================================================

``control`` knows no NumPy; ``sound`` knows no bytes, sockets, clock or YAML.
"""

__version__ = "0.1.0"
